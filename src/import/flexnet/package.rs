//! Packages: `FEAT (consisting of: A B C)`, over one line or several.

use std::collections::BTreeMap;

/// The lists that daemons are in the middle of.
#[derive(Debug, Default)]
pub(super) struct Packages {
    open: BTreeMap<String, (String, Vec<String>)>,
}

impl Packages {
    /// Reads the next line of a daemon. Returns a package and its components when its list ends.
    pub(super) fn line(&mut self, daemon: &str, text: &str) -> Option<(String, String)> {
        // Requests quote their feature; they are nearly all lines there are.
        let quoted = memchr::memchr(b'"', text.as_bytes()).is_some();
        if quoted && self.open.is_empty() {
            return None;
        }
        let list = match text.split_once(" (consisting of:") {
            Some((name, list)) if !quoted => {
                let name = name.trim_ascii().to_owned();
                self.open.insert(daemon.to_owned(), (name, Vec::new()));
                list
            }
            // Hardly any line is inside a list.
            _ if self.open.is_empty() || !self.open.contains_key(daemon) => return None,
            _ => text,
        };
        let (list, ends) = list.split_once(')').map_or((list, false), |(list, _)| (list, true));
        let (_, components) = self.open.get_mut(daemon)?;
        components.extend(list.split_ascii_whitespace().map(str::to_owned));
        if !ends {
            return None;
        }
        let (name, components) = self.open.remove(daemon)?;
        Some((name, components.join(" ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_may_go_on_over_lines_of_other_daemons() {
        let mut packages = Packages::default();
        assert_eq!(packages.line("x", "SUITE (consisting of:\t\tA "), None);
        assert_eq!(packages.line("y", "B (other)"), None);
        assert_eq!(packages.line("x", "B C) "), Some(("SUITE".to_owned(), "A B C".to_owned())));
        assert_eq!(packages.line("x", "D E) "), None);
        assert_eq!(packages.line("x", "P (consisting of: Q)"), Some(("P".to_owned(), "Q".to_owned())));
    }
}
