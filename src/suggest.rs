//! Near misses: the known names that a typed one may have meant.
//!
//! Whoever asks hands over the names that its caller may know, so that a hint never tells of one that is hidden.

/// The most names that a hint lists.
const MOST: usize = 3;

/// Returns the known names nearest to what was typed, the nearest first. Names that differ in case or punctuation alone come
/// first, then those a few letters away, then those that begin or end like it.
///
/// ```
/// use headroom::suggest::near;
/// assert_eq!(near("granularty", ["tz", "granularity"]), ["granularity"]);
/// assert_eq!(near("europe/paris", ["Europe/Rome", "Europe/Paris"]), ["Europe/Paris"]);
/// assert!(near("xyz", ["granularity"]).is_empty());
/// ```
pub fn near<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let plain_typed = plain(typed);
    let mut found: Vec<(usize, &str)> = known
        .into_iter()
        .filter_map(|name| Some((distance(&plain_typed, &plain(name))?, name)))
        .collect();
    found.sort();
    found.dedup();
    // A name that differs in case alone is what was meant.
    if found.first().is_some_and(|(distance, _)| *distance == 0) {
        found.retain(|(distance, _)| *distance == 0);
    }
    found.into_iter().take(MOST).map(|(_, name)| name).collect()
}

/// Returns the end of a message: `; did you mean "a" or "b"?`, or nothing where no name is near.
pub fn hint<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let near: Vec<String> = near(typed, known).into_iter().map(|name| format!("{name:?}")).collect();
    match &near[..] {
        [] => String::new(),
        names => format!("; did you mean {}?", names.join(" or ")),
    }
}

/// The longest text that is compared; nobody mistypes a longer name.
const LONGEST: usize = 128;

/// Lower-case letters and digits of a name.
fn plain(name: &str) -> String {
    let letters = name.chars().filter(|c| c.is_alphanumeric()).take(LONGEST);
    letters.flat_map(char::to_lowercase).collect()
}

/// Returns how far apart two plain names are; nothing where they are too far apart to be meant for each other.
fn distance(typed: &str, known: &str) -> Option<usize> {
    if typed.is_empty() || known.is_empty() {
        return None;
    }
    let (short, long) = (typed.chars().count(), known.chars().count());
    // A third of the letters may be wrong, but a name of one or two letters is no near miss of another.
    let most = short.max(long) / 3;
    let apart = strsim::damerau_levenshtein(typed, known);
    let begun = short >= 3 && (known.starts_with(typed) || known.ends_with(typed));
    if apart <= most {
        Some(apart)
    } else if begun {
        Some(most + 1)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_misses_are_found_and_far_ones_are_not() {
        let features = ["MSCONE", "MSCTWO", "solver", "Ansys Solver"];
        assert_eq!(near("mscone", features), ["MSCONE"]);
        assert_eq!(near("MSCNOE", features), ["MSCONE"]);
        assert_eq!(near("solvr", features), ["solver"]);
        assert_eq!(near("solver-", features), ["solver"]);
        assert_eq!(near("ansys", features), ["Ansys Solver"]);
        assert!(near("gadget", features).is_empty() && near("", features).is_empty() && near("---", features).is_empty());
        assert_eq!(hint("solvr", features), "; did you mean \"solver\"?");
        assert_eq!(hint("gadget", features), "");
        assert_eq!(near("MSC", features), ["MSCONE", "MSCTWO"]);
    }

    #[test]
    fn long_texts_cost_little() {
        let long = "x".repeat(100_000);
        assert!(near(&long, [long.as_str()]).len() == 1);
    }
}
