//! What a function says of itself: the engine shows it in `SHOW FUNCTIONS`, and `docs/sql.md` is written from it.

use datafusion::logical_expr::{DocSection, Documentation};

/// What there is to say of a function.
#[derive(Debug)]
pub(super) struct Manual {
    /// How it is called.
    pub(super) syntax: &'static str,
    /// What it gives, in a sentence or two.
    pub(super) description: &'static str,
    /// Its arguments, in order, and what they are.
    pub(super) arguments: &'static [(&'static str, &'static str)],
    /// A query on the sample in `data/`.
    pub(super) example: &'static str,
    /// What `headroom sql` answers.
    pub(super) answer: &'static str,
}

/// The functions of headroom, among all that SQL knows.
const SECTION: DocSection = DocSection {
    include: true,
    label: "License usage",
    description: None,
};

impl Manual {
    /// The same, as the engine takes it: an example is a prompt, its query, and what it answers.
    pub(super) fn documentation(&self) -> Documentation {
        let example = format!("> {}\n{}", self.example, self.answer);
        let begun = Documentation::builder(SECTION, self.description, self.syntax).with_sql_example(example);
        let told = self.arguments.iter();
        told.fold(begun, |told, (name, meaning)| told.with_argument(*name, *meaning))
            .build()
    }
}
