//! Reads XML and HTML strictly: what is not closed, not quoted or not escaped is no document.

/// A document as its pieces, in their order.
pub(super) struct Markup {
    pieces: Vec<Piece>,
}

pub(super) enum Piece {
    Open(Element),
    Close(String),
    /// A text, unescaped.
    Text(String),
}

pub(super) struct Element {
    pub(super) name: String,
    attributes: Vec<(String, String)>,
}

impl Element {
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Elements of HTML that have no end.
const VOID: [&str; 14] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
];

impl Markup {
    pub(super) fn xml(text: &str) -> Self {
        let text = text.trim_start_matches('\u{feff}').trim();
        let allowed = |c: char| matches!(c, '\t' | '\n' | '\r') || c >= ' ' && c != '\u{fffe}' && c != '\u{ffff}';
        assert!(text.chars().all(allowed), "XML has no control characters");
        Self::read(text, false)
    }

    pub(super) fn html(text: &str) -> Self {
        Self::read(text.trim(), true)
    }

    pub(super) fn pieces(&self) -> impl Iterator<Item = &Piece> {
        self.pieces.iter()
    }

    pub(super) fn elements(&self) -> impl Iterator<Item = &Element> {
        self.pieces
            .iter()
            .filter_map(|piece| if let Piece::Open(element) = piece { Some(element) } else { None })
    }

    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.pieces
            .iter()
            .filter_map(|piece| if let Piece::Text(text) = piece { Some(text.as_str()) } else { None })
    }

    /// The texts that a reader sees.
    pub(super) fn words(&self) -> Vec<&str> {
        self.texts().map(str::trim).filter(|text| !text.is_empty()).collect()
    }

    /// Nothing comes from elsewhere, and nothing runs.
    pub(super) fn loads_nothing(&self) {
        for element in self.elements() {
            for (name, value) in &element.attributes {
                let what = format!("<{} {name}={value:?}>", element.name);
                assert!(!name.starts_with("on"), "{what}");
                let elsewhere = ["http:", "https:", "//", "javascript:", "data:text"];
                let loads = elsewhere.iter().any(|start| value.trim().to_ascii_lowercase().starts_with(start));
                assert!(name.starts_with("xmlns") || !loads, "{what}");
                assert!(!value.contains("url(http") && !value.contains("@import"), "{what}");
            }
            assert!(element.name != "link" || element.attribute("rel") == Some("icon"), "<link>");
        }
        for text in self.texts() {
            assert!(
                !text.contains("@import") && !text.contains("url(http") && !text.contains("url(//"),
                "{text}"
            );
        }
    }

    /// The fields of the page's forms and what they say when nobody changes them.
    pub(super) fn fields(&self) -> Vec<(String, String)> {
        let mut fields: Vec<(String, String)> = Vec::new();
        let mut select = None;
        for piece in &self.pieces {
            match piece {
                Piece::Open(element) if element.name == "input" => {
                    let kind = element.attribute("type").unwrap_or("text");
                    let unchecked = ["checkbox", "radio"].contains(&kind) && element.attribute("checked").is_none();
                    if let (Some(name), false) = (element.attribute("name"), unchecked) {
                        fields.push((name.to_owned(), element.attribute("value").unwrap_or_default().to_owned()));
                    }
                }
                Piece::Open(element) if element.name == "select" => {
                    let name = element.attribute("name").unwrap().to_owned();
                    select = Some(fields.len());
                    fields.push((name, "\0".to_owned()));
                }
                Piece::Open(element) if element.name == "option" => {
                    let (_, value) = &mut fields[select.unwrap()];
                    if value == "\0" || element.attribute("selected").is_some() {
                        *value = element.attribute("value").unwrap().to_owned();
                    }
                }
                Piece::Open(element) => assert_ne!(element.name, "textarea", "read its text here"),
                _ => {}
            }
        }
        fields
    }

    fn read(text: &str, html: bool) -> Self {
        let mut pieces = Vec::new();
        let mut open: Vec<String> = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix("<!--") {
                rest = after.split_once("-->").expect("a comment ends").1;
            } else if rest.starts_with("<?") || rest.starts_with("<!") {
                assert!(open.is_empty(), "a declaration inside of an element");
                rest = rest.split_once('>').unwrap().1;
            } else if let Some(after) = rest.strip_prefix("</") {
                let (name, after) = after.split_once('>').expect("a tag ends");
                let name = name.trim();
                assert_eq!(open.pop().as_deref(), Some(name), "closed what was not the last one opened");
                pieces.push(Piece::Close(name.to_owned()));
                rest = after;
            } else if let Some(after) = rest.strip_prefix('<') {
                let (element, closed, after) = element(after, html);
                let name = element.name.clone();
                pieces.push(Piece::Open(element));
                rest = after;
                if closed || html && VOID.contains(&name.as_str()) {
                    pieces.push(Piece::Close(name));
                } else if html && ["style", "script"].contains(&name.as_str()) {
                    let (raw, after) = rest.split_once(&format!("</{name}>")).expect("a style ends");
                    pieces.extend([Piece::Text(raw.to_owned()), Piece::Close(name)]);
                    rest = after;
                } else {
                    open.push(name);
                }
            } else {
                let end = rest.find('<').unwrap_or(rest.len());
                let text = &rest[..end];
                assert!(!open.is_empty() || text.trim().is_empty(), "a text outside of everything: {text}");
                pieces.push(Piece::Text(unescaped(text)));
                rest = &rest[end..];
            }
        }
        assert!(open.is_empty(), "{open:?} is never closed");
        Self { pieces }
    }
}

/// The element that a text begins with after its `<`, whether it is closed at once, and what follows.
fn element(text: &str, html: bool) -> (Element, bool, &str) {
    let is_name = |c: char| c.is_ascii_alphanumeric() || ['-', ':', '_', '.'].contains(&c);
    let end = text.find(|c| !is_name(c)).expect("a tag ends");
    assert!(end > 0, "a bare < before {:?}", text.chars().take(20).collect::<String>());
    let name = text[..end].to_owned();
    let mut attributes: Vec<(String, String)> = Vec::new();
    let mut rest = text[end..].trim_start();
    loop {
        if let Some(after) = rest.strip_prefix("/>") {
            return (Element { name, attributes }, true, after);
        }
        if let Some(after) = rest.strip_prefix('>') {
            return (Element { name, attributes }, false, after);
        }
        let end = rest.find(|c| !is_name(c)).unwrap();
        let key = &rest[..end];
        assert!(!key.is_empty(), "<{name} {:?}", rest.chars().take(20).collect::<String>());
        rest = &rest[end..];
        let mut value = String::new();
        if let Some(after) = rest.strip_prefix('=') {
            let quote = after.chars().next().filter(|c| ['"', '\''].contains(c)).expect("a quoted value");
            let (quoted, after) = after[1..].split_once(quote).expect("a value ends");
            assert!(!quoted.contains('<'), "<{name} {key}={quoted:?}");
            value = unescaped(quoted);
            rest = after;
        } else {
            assert!(html, "<{name} {key}> without a value");
        }
        assert!(attributes.iter().all(|(known, _)| known != key), "<{name}> has {key} twice");
        attributes.push((key.to_owned(), value));
        rest = rest.trim_start();
    }
}

fn unescaped(text: &str) -> String {
    let mut pieces = text.split('&');
    let mut whole = pieces.next().unwrap().to_owned();
    for piece in pieces {
        let (entity, after) = piece.split_once(';').unwrap_or_else(|| panic!("a bare & before {piece:?}"));
        let number = |digits: &str, radix| char::from_u32(u32::from_str_radix(digits, radix).unwrap()).unwrap();
        whole.push(match entity {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            "nbsp" => '\u{a0}',
            "middot" => '·',
            other => match other.strip_prefix("#x").or_else(|| other.strip_prefix("#X")) {
                Some(digits) => number(digits, 16),
                None => number(other.strip_prefix('#').unwrap_or_else(|| panic!("&{other}; is not known")), 10),
            },
        });
        whole.push_str(after);
    }
    whole
}
