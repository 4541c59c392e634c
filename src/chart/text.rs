//! How wide texts are, and how they are cut to fit.
//!
//! Nobody knows here which font will be used. Widths are those of a wide font without serifs, in parts of its size, so that a text
//! takes the room that is left for it, or less.

const ELLIPSIS: &str = "…";

/// The width of a text, where 1 is the size of the font.
pub(super) fn width(text: &str, bold: bool) -> f64 {
    text.chars().map(|letter| advance(letter, bold)).sum()
}

/// The text without what a picture cannot show, cut with an ellipsis where it is wider than `room`.
pub(super) fn fit(text: &str, bold: bool, room: f64) -> String {
    let text = clean(text);
    if width(&text, bold) <= room { text } else { cut(&text, bold, room) }
}

/// The text in at most so many lines, broken between words where possible; the last one is cut with an ellipsis.
pub(super) fn lines(text: &str, bold: bool, room: f64, most: usize) -> Vec<String> {
    let text = clean(text);
    let (mut lines, mut rest) = (Vec::new(), text.as_str());
    while !rest.is_empty() && lines.len() < most {
        let end = end_of_line(rest, bold, room);
        if end < rest.len() && lines.len() + 1 == most {
            lines.push(cut(rest, bold, room));
        } else {
            lines.push(rest[..end].trim_end().to_owned());
        }
        rest = rest[end..].trim_start();
    }
    lines
}

fn cut(text: &str, bold: bool, room: f64) -> String {
    let mut used = width(ELLIPSIS, bold);
    if used > room {
        return String::new();
    }
    let kept = text.char_indices().find_map(|(at, letter)| {
        used += advance(letter, bold);
        (used > room).then_some(at)
    });
    let kept = &text[..kept.unwrap_or(text.len())];
    format!("{}{ELLIPSIS}", kept.trim_end_matches([' ', '\u{200D}']))
}

/// Where the first line of a text ends: after a word, or inside one that alone is too long. At least one letter is on it.
fn end_of_line(text: &str, bold: bool, room: f64) -> usize {
    let (mut used, mut space) = (0.0, None);
    for (at, letter) in text.char_indices() {
        used += advance(letter, bold);
        if letter == ' ' {
            space = Some(at);
        } else if used > room && at > 0 {
            return space.unwrap_or(at);
        }
    }
    text.len()
}

/// One line, without control characters and without those that would turn the direction of what follows.
fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    for letter in text.trim().chars() {
        if letter.is_whitespace() {
            if !cleaned.ends_with(' ') {
                cleaned.push(' ');
            }
        } else if !letter.is_control() && !matches!(letter, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FFFE}' | '\u{FFFF}') {
            cleaned.push(letter);
        }
    }
    cleaned
}

/// The width of a letter; a wide one of its kind where the kind is all that is known.
fn advance(letter: char, bold: bool) -> f64 {
    let hundredths = match letter {
        '\'' | 'i' | 'j' | 'l' | 'I' | 'J' => 29,
        ' ' | ',' | '.' | '/' | ':' | ';' | '\\' | '|' | 'f' | '·' => 35,
        '(' | ')' | '[' | ']' | 't' | '-' | '!' | 'r' => 40,
        '"' | '*' | '_' | '`' | 's' | 'z' | '?' => 52,
        'c' | 'k' | 'F' | 'L' => 58,
        'a' | 'o' | 'v' | 'x' | 'y' | 'P' | 'T' | 'Y' => 61,
        '0'..='9' | 'b' | 'd' | 'e' | 'g' | 'h' | 'n' | 'p' | 'q' | 'u' | 'E' | 'S' | '$' | '{' | '}' => 64,
        'A' | 'B' | 'C' | 'K' | 'R' | 'V' | 'X' | 'Z' => 70,
        'D' | 'G' | 'H' | 'N' | 'O' | 'Q' | 'U' | '&' => 79,
        'M' | 'w' | '#' | '+' | '<' | '=' | '>' | '^' | '~' => 86,
        'm' | 'W' | '%' | '@' => 100,
        // Marks on the letter before, joiners and variation selectors.
        '\u{0300}'..='\u{036F}'
        | '\u{0591}'..='\u{05BD}'
        | '\u{064B}'..='\u{065F}'
        | '\u{0E34}'..='\u{0E3A}'
        | '\u{0E47}'..='\u{0E4E}'
        | '\u{200B}'..='\u{200F}'
        | '\u{20D0}'..='\u{20FF}'
        | '\u{FE00}'..='\u{FE0F}' => 0,
        '\u{00A0}'..='\u{03FF}' if letter.is_lowercase() => 66,
        '\u{0400}'..='\u{04FF}' if letter.is_lowercase() => 80,
        // Scripts whose letters fill a square, and pictures, which are wider still.
        '\u{1100}'..='\u{115F}' | '\u{2E80}'..='\u{D7A3}' | '\u{F900}'..='\u{FAFF}' | '\u{FE30}'..='\u{FF60}' => 102,
        '\u{1F000}'..='\u{1FAFF}' => 138,
        '\u{20000}'..='\u{3FFFF}' => 102,
        _ => 95,
    };
    f64::from(hundredths) / 100.0 * if bold { 1.13 } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_fits_is_left_alone() {
        assert_eq!(fit("Denied licenses", true, 20.0), "Denied licenses");
    }

    #[test]
    fn a_text_that_is_cut_fits_with_its_ellipsis() {
        for room in [1.0, 2.0, 3.7, 9.9, 30.0] {
            for text in [
                "Utilization of everything in the whole world",
                "許可証の使用状況とその他の長い題名",
                "Использование лицензий за весь год",
            ] {
                let cut = fit(text, false, room);
                assert!(width(&cut, false) <= room, "{cut}");
                assert!(cut == text || cut.ends_with('…'), "{cut}");
            }
        }
        assert_eq!(fit("Utilization", false, 0.5), "");
    }

    #[test]
    fn a_cut_leaves_no_space_before_the_ellipsis() {
        assert_eq!(fit("aa bbbbbbbb", false, width("aa …", false)), "aa…");
    }

    #[test]
    fn line_breaks_and_control_characters_do_not_reach_a_picture() {
        assert_eq!(fit(" a\r\n\tb\u{0}\u{7}c\u{202E}d ", false, 99.0), "a bcd");
    }

    #[test]
    fn lines_break_between_words_and_the_last_one_is_cut() {
        let room = width("one two", false);
        assert_eq!(
            lines("one two three four five six seven", false, room, 3),
            ["one two", "three", "four fi…"]
        );
        assert_eq!(lines("one two", false, room, 3), ["one two"]);
        assert_eq!(lines("", false, room, 3), [""; 0]);
    }

    #[test]
    fn a_word_that_is_too_long_is_broken_anywhere() {
        assert_eq!(lines("mmmmm", false, 2.0, 3), ["mm", "mm", "m"]);
        assert_eq!(lines("mmm", false, 0.1, 2), ["m", ""]);
    }
}
