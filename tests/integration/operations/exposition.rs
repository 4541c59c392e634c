//! The text format of Prometheus and `OpenMetrics`, read strictly: a line that is not understood fails.

use std::collections::BTreeMap;

/// A metric as it is described, with its samples.
#[derive(Debug, Default, Clone)]
pub struct Described {
    pub help: String,
    pub kind: String,
    pub samples: Vec<Sample>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub value: f64,
}

/// Everything that a scrape said, in its order.
#[derive(Debug, Clone)]
pub struct Scrape(pub Vec<(String, Described)>);

impl Scrape {
    /// Reads the text. In `OpenMetrics` the samples of a counter have a suffix that its name lacks.
    pub fn read(text: &str, open_metrics: bool) -> Self {
        assert!(text.ends_with('\n'), "the last line has no end");
        let mut described: Vec<(String, Described)> = Vec::new();
        let mut ended = false;
        for line in text.lines() {
            assert!(!ended, "{line:?} after the end");
            let comment = line.strip_prefix("# ");
            match comment.map(|comment| comment.split(' ').collect::<Vec<_>>()).as_deref() {
                Some(["HELP", name, help @ ..]) => {
                    assert!(described.iter().all(|(known, _)| known != name), "{name} is described twice");
                    let help = help.join(" ");
                    assert!(help.len() > 10 && help.ends_with('.'), "{line}");
                    let described_now = Described {
                        help,
                        ..Described::default()
                    };
                    described.push(((*name).to_owned(), described_now));
                }
                Some(["TYPE", name, kind]) => {
                    let (known, last) = described.last_mut().unwrap();
                    assert!(known == name && last.kind.is_empty(), "{line}");
                    assert!(["counter", "gauge", "histogram"].contains(kind), "{line}");
                    last.kind = (*kind).to_owned();
                }
                Some(["EOF"]) => {
                    assert!(open_metrics, "only the newer format has an end");
                    ended = true;
                }
                Some(_) => panic!("{line:?}"),
                None => {
                    let sample = Sample::read(line);
                    let (name, last) = described.last_mut().unwrap();
                    let suffixes: &[&str] = match (&*last.kind, open_metrics) {
                        ("histogram", _) => &["_bucket", "_sum", "_count"],
                        ("counter", true) => &["_total"],
                        _ => &[""],
                    };
                    let fits = suffixes.iter().any(|suffix| sample.name == format!("{name}{suffix}"));
                    assert!(fits, "{line:?} among those of {name}");
                    assert!(
                        last.samples
                            .iter()
                            .all(|known| (&known.name, &known.labels) != (&sample.name, &sample.labels)),
                        "{line:?} twice"
                    );
                    last.samples.push(sample);
                }
            }
        }
        assert_eq!(ended, open_metrics);
        Self(described)
    }

    pub fn described(&self, name: &str) -> &Described {
        let found = self.0.iter().find(|(known, _)| known == name);
        &found.unwrap_or_else(|| panic!("there is no {name}")).1
    }

    /// The samples of a metric by their labels, written `a=1,b=2`.
    pub fn values(&self, name: &str) -> BTreeMap<String, f64> {
        let samples = self.described(name).samples.iter();
        samples
            .map(|sample| {
                let labels: Vec<String> = sample.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
                (labels.join(","), sample.value)
            })
            .collect()
    }

    /// The one sample of a metric without labels.
    pub fn value(&self, name: &str) -> f64 {
        let values = self.values(name);
        assert_eq!(values.keys().collect::<Vec<_>>(), [""], "{name}");
        values[""]
    }

    /// A sample of some labels; 0 where there is none.
    pub fn of(&self, name: &str, labels: &str) -> f64 {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map_or(0.0, |_| self.values(name).get(labels).copied().unwrap_or_default())
    }

    /// Sum, count and the buckets of a histogram, by their bounds in order; checks that they add up.
    pub fn histogram(&self, name: &str, labels: &[(&str, &str)]) -> (f64, f64, Vec<(f64, f64)>) {
        let wanted: BTreeMap<String, String> = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let (mut sum, mut count, mut buckets) = (None, None, Vec::new());
        for sample in &self.described(name).samples {
            let mut labels = sample.labels.clone();
            let bound = labels.remove("le");
            if labels != wanted {
                continue;
            }
            match (sample.name.strip_prefix(name).unwrap(), bound) {
                ("_sum", None) => sum = Some(sample.value),
                ("_count", None) => count = Some(sample.value),
                ("_bucket", Some(bound)) => {
                    let bound = if bound == "+Inf" { f64::INFINITY } else { bound.parse().unwrap() };
                    buckets.push((bound, sample.value));
                }
                what => panic!("{what:?}"),
            }
        }
        let (sum, count) = (sum.unwrap(), count.unwrap());
        assert!(buckets.len() > 5, "{name}: {buckets:?}");
        assert!(buckets.windows(2).all(|pair| pair[0].0 < pair[1].0), "bounds rise: {buckets:?}");
        assert!(buckets.windows(2).all(|pair| pair[0].1 <= pair[1].1), "buckets add up: {buckets:?}");
        assert_eq!(*buckets.last().unwrap(), (f64::INFINITY, count), "{name}");
        (sum, count, buckets)
    }
}

impl Sample {
    fn read(line: &str) -> Self {
        let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line:?}"));
        let value = value.parse().unwrap_or_else(|error| panic!("{error}: {line:?}"));
        let (name, labels) = match series.split_once('{') {
            None => (series, BTreeMap::new()),
            Some((name, labels)) => (name, labels_of(labels.strip_suffix('}').unwrap_or_else(|| panic!("{line:?}")))),
        };
        assert!(name.bytes().all(|letter| letter.is_ascii_lowercase() || letter == b'_'), "{line:?}");
        Self {
            name: name.to_owned(),
            labels,
            value,
        }
    }
}

/// Reads `a="x",b="y"`, with `\\`, `\"` and `\n` in the values.
fn labels_of(mut text: &str) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    while !text.is_empty() {
        let (name, rest) = text.split_once("=\"").unwrap_or_else(|| panic!("{text:?}"));
        let mut value = String::new();
        let mut letters = rest.char_indices();
        let end = loop {
            match letters.next() {
                Some((place, '"')) => break place,
                Some((_, '\\')) => value.push(match letters.next() {
                    Some((_, 'n')) => '\n',
                    Some((_, letter @ ('\\' | '"'))) => letter,
                    what => panic!("{what:?} in {text:?}"),
                }),
                Some((_, letter)) => value.push(letter),
                None => panic!("{text:?}"),
            }
        };
        assert!(labels.insert(name.to_owned(), value).is_none(), "{name} twice");
        text = &rest[end + 1..];
        text = text.strip_prefix(',').unwrap_or(text);
    }
    labels
}
