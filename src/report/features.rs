//! Features as a request names them: by number, by name, or by server and name.
//!
//! ```text
//!  3,MSCONE,flex01/solver,"CAD, Pro",name:42 ─▶ numbers
//! ```
//!
//! Only features that the caller sees are known here, so that neither an answer nor a hint tells of others.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::CharIndices;

use super::{ReportError, Scope};
use crate::store::{FeatureState, Id, ServerState};
use crate::suggest;

/// What precedes a name that would otherwise be read as a number or as `all`.
const MARK: &str = "name:";

/// Returns the numbers of the features that a text names, in its order.
///
/// # Errors
///
/// [`ReportError::Malformed`] for an empty element, [`ReportError::UnknownFeature`] for a number or name that no visible feature
/// has, [`ReportError::AmbiguousFeature`] for a name that several have.
pub(super) fn resolve(text: &str, scope: Scope<'_>) -> Result<Vec<Id>, ReportError> {
    let known = Known {
        scope,
        bearers: OnceCell::new(),
    };
    let mut found = Vec::new();
    let mut rest = Some(text);
    while let Some(from) = rest {
        let (id, after) = known.first_of(from)?;
        found.push(id);
        rest = after;
    }
    Ok(found)
}

/// The features that the caller sees.
struct Known<'a> {
    scope: Scope<'a>,
    /// Made when the first name is looked up: numbers need none of it.
    bearers: OnceCell<Bearers<'a>>,
}

/// Features with their servers.
struct Bearers<'a> {
    features: Vec<(&'a FeatureState, &'a ServerState)>,
    /// No text longer than this is a name.
    longest: usize,
}

impl<'a> Bearers<'a> {
    fn of(scope: Scope<'a>) -> Self {
        let servers: BTreeMap<Id, &ServerState> = scope.snapshot.servers().iter().map(|state| (state.server.id, state)).collect();
        let visible = scope
            .snapshot
            .features()
            .iter()
            .filter(|state| scope.view.sees(state.feature.server));
        let features: Vec<_> = visible
            .filter_map(|state| Some((state, *servers.get(&state.feature.server)?)))
            .collect();
        let length = |(state, server): &(&FeatureState, &ServerState)| {
            MARK.len() + server.server.name.len() + server.server.daemon.len() + state.feature.name.len() + 2
        };
        Self {
            longest: features.iter().map(length).max().unwrap_or(0),
            features,
        }
    }
}

impl<'a> Known<'a> {
    fn all(&self) -> &Bearers<'a> {
        self.bearers.get_or_init(|| Bearers::of(self.scope))
    }

    /// The first element of a list, and what follows the comma after it.
    fn first_of<'t>(&self, text: &'t str) -> Result<(Id, Option<&'t str>), ReportError> {
        if let Some((name, after)) = quoted(text) {
            return Ok((self.called(&name)?, after));
        }
        let (element, after) = split(text);
        if !element.is_empty() && element.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok((self.numbered(element)?, after));
        }
        // A name may have commas in it: the longest text that is a name is meant.
        let commas = text.match_indices(',').map(|(place, _)| place);
        let longest = self.all().longest;
        let ends: Vec<usize> = commas.chain([text.len()]).take_while(|end| *end <= longest).collect();
        for end in ends.into_iter().rev() {
            let name = &text[..end];
            if !self.bearers(name).is_empty() {
                return Ok((self.called(name)?, text.get(end + 1..)));
            }
        }
        if element.is_empty() {
            return Err(malformed(element));
        }
        Ok((self.called(element)?, after))
    }

    fn numbered(&self, digits: &str) -> Result<Id, ReportError> {
        // Every number that fits is the number of a feature or of none; others are mistakes.
        let number: u32 = digits.parse().map_err(|_too_large| malformed(digits))?;
        let found = Id::try_from(number).ok().filter(|id| self.scope.has_feature(*id));
        found.ok_or_else(|| ReportError::UnknownFeature {
            feature: number.to_string(),
            hint: String::new(),
        })
    }

    fn called(&self, name: &str) -> Result<Id, ReportError> {
        let bearers = self.bearers(name);
        match &bearers[..] {
            [(one, _)] => Ok(one.feature.id),
            [] => {
                let plain = name.strip_prefix(MARK).unwrap_or(name);
                let mut names: Vec<String> = self.all().features.iter().map(|(state, _)| state.feature.name.clone()).collect();
                if plain.contains('/') {
                    let full = |(state, server): &(&FeatureState, &ServerState)| format!("{}/{}", server.server.name, state.feature.name);
                    names.extend(self.all().features.iter().map(full));
                }
                Err(ReportError::UnknownFeature {
                    feature: format!("{:?}", name.chars().take(200).collect::<String>()),
                    hint: suggest::hint(plain, names.iter().map(String::as_str)),
                })
            }
            several => Err(ReportError::AmbiguousFeature {
                name: name.chars().take(200).collect(),
                bearers: several
                    .iter()
                    .map(|(state, server)| bearer(state, server))
                    .collect::<Vec<_>>()
                    .join("; "),
            }),
        }
    }

    /// The features that a text may mean: as it stands, else without the mark.
    fn bearers(&self, text: &str) -> Vec<(&'a FeatureState, &'a ServerState)> {
        let of = |name: &str| -> Vec<_> {
            let found = self.all().features.iter().filter(|(state, server)| is_called(name, state, server));
            found.copied().collect()
        };
        let whole = of(text);
        match text.strip_prefix(MARK) {
            Some(name) if whole.is_empty() => of(name),
            _ => whole,
        }
    }
}

/// Returns true for the name of a feature, and for the name of its server (with or without the daemon), a slash, and its name.
fn is_called(text: &str, state: &FeatureState, server: &ServerState) -> bool {
    let name = state.feature.name.as_str();
    if text == name {
        return true;
    }
    let Some(before) = text.strip_suffix(name).and_then(|before| before.strip_suffix('/')) else {
        return false;
    };
    let daemon = server.server.daemon.as_str();
    before == server.server.name || before.strip_suffix(daemon).and_then(|name| name.strip_suffix('/')) == Some(&server.server.name)
}

fn bearer(state: &FeatureState, server: &ServerState) -> String {
    let mut text = format!("{} on {}", state.feature.id, server.server.name);
    if !server.server.daemon.is_empty() {
        text.push_str(&format!("/{}", server.server.daemon));
    }
    if !state.feature.version.is_empty() {
        text.push_str(&format!(", version {}", state.feature.version));
    }
    text
}

fn malformed(element: &str) -> ReportError {
    ReportError::Malformed {
        name: "feature".to_owned(),
        value: element.chars().take(200).collect(),
        expected: super::ParamType::Features.expected_of_features(),
    }
}

/// The text before the first comma, and what follows it.
fn split(text: &str) -> (&str, Option<&str>) {
    text.split_once(',').map_or((text, None), |(element, after)| (element, Some(after)))
}

/// A name in double quotes at the beginning of a text, in which two quotes are one, and what follows the comma after it.
fn quoted(text: &str) -> Option<(String, Option<&str>)> {
    let inside = text.strip_prefix('"')?;
    let mut name = String::new();
    let mut letters: Peekable<CharIndices<'_>> = inside.char_indices().peekable();
    while let Some((place, letter)) = letters.next() {
        if letter != '"' {
            name.push(letter);
        } else if letters.next_if(|(_, next)| *next == '"').is_some() {
            name.push('"');
        } else {
            let after = &inside[place + 1..];
            return match after.strip_prefix(',') {
                Some(after) => Some((name, Some(after))),
                None if after.is_empty() => Some((name, None)),
                None => None,
            };
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_commas() {
        assert_eq!(quoted(r#""CAD, Pro",3"#), Some(("CAD, Pro".to_owned(), Some("3"))));
        assert_eq!(quoted(r#""say ""hi""""#), Some(("say \"hi\"".to_owned(), None)));
        assert_eq!(quoted(r#""a"b"#), None);
        assert_eq!(quoted(r#""a"#), None);
        assert_eq!(quoted("a"), None);
    }
}
