//! HTML: a page with the chart, the parameters as a form, and the rows as a table. It needs no script and loads nothing.
//!
//! Rows leave as they come. The chart is there only after the last of them, so that it stands at the end of the document, and the
//! style sheet shows it above the table:
//!
//! ```text
//!   as written    heading, form, table … last row, chart, notes
//!   as shown      heading, chart, form, table, notes
//! ```

mod address;
mod form;

use arrow::array::RecordBatch;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::cell::{Cell, Cells};
use super::plot::Plot;
use super::{Disposition, Document, EncodeError, Encoder, Ending, FORMATS, Format, notes};
use crate::chart::svg;
use crate::report::{Column, ColumnType, Family};

const STYLE: &str = include_str!("html/style.css");

/// A page to look at.
#[derive(Debug)]
pub(super) struct Html;

impl Format for Html {
    fn name(&self) -> &'static str {
        "html"
    }

    fn media_type(&self) -> &'static str {
        "text/html; charset=utf-8"
    }

    fn family(&self) -> Family {
        Family::Page
    }

    fn disposition(&self) -> Disposition {
        Disposition::Read
    }

    fn counts_rows(&self) -> bool {
        true
    }

    fn draws(&self) -> bool {
        true
    }

    fn encoder(&self, document: Document) -> Box<dyn Encoder> {
        Box::new(HtmlEncoder {
            plot: document.chart.is_some().then(|| Plot::new(document.clone()).without_heading()),
            document,
            shown: 0,
            text: Vec::new(),
        })
    }
}

struct HtmlEncoder {
    document: Document,
    plot: Option<Plot>,
    /// Rows of the table so far.
    shown: u64,
    text: Vec<u8>,
}

impl Encoder for HtmlEncoder {
    fn begin(&mut self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let document = &self.document;
        let head = html! {
            (DOCTYPE)
            (PreEscaped("<html lang=\"en\">"))
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (document.title) }
                style { (PreEscaped(STYLE)) }
            }
            (PreEscaped("<body><main>"))
            header {
                h1 { (document.title) }
                p.subtitle { (document.subtitle) }
                p { (document.summary) }
            }
            (form::of(document))
            (PreEscaped("<div class=\"table\"><table>"))
            thead { tr { @for column in &document.columns { (heading(column, document)) } } }
        };
        out.extend_from_slice(head.into_string().as_bytes());
        out.extend_from_slice(b"<tbody>\n");
        Ok(())
    }

    fn rows(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let cells = Cells::new(batch, &self.document.columns)?;
        for row in 0..batch.num_rows() {
            out.extend_from_slice(b"<tr>");
            for column in 0..self.document.columns.len() {
                let cell = cells.get(row, column);
                let number = matches!(cell, Cell::Integer(_) | Cell::Float(_) | Cell::Number(_));
                out.extend_from_slice(if number { b"<td class=\"n\">" } else { b"<td>" });
                self.text.clear();
                cell.write_text(&mut self.text);
                let text = String::from_utf8_lossy(&self.text);
                out.extend_from_slice(html! { (text) }.into_string().as_bytes());
                out.extend_from_slice(b"</td>");
            }
            out.extend_from_slice(b"</tr>\n");
        }
        self.shown += batch.num_rows() as u64;
        if let Some(plot) = &mut self.plot {
            plot.add(batch)?;
        }
        Ok(())
    }

    fn end(&mut self, total: u64, out: &mut Vec<u8>) -> Result<Ending, EncodeError> {
        out.extend_from_slice(b"</tbody></table></div>");
        if let Some(plot) = self.plot.take() {
            let mut picture = Vec::new();
            svg::write(&plot.draw(), &self.document.title, &self.document.summary, &mut picture);
            let picture = String::from_utf8_lossy(&picture);
            // Within a page a picture has no declaration of its own.
            let picture = picture.find("<svg").map_or(&*picture, |start| &picture[start..]);
            out.extend_from_slice(html! { figure { (PreEscaped(picture)) } }.into_string().as_bytes());
        }
        let rest = html! {
            p.count { (self.count(total)) (pages(&self.document, self.shown, total)) }
            footer {
                ul { @for note in notes::of(&self.document) { li { (note) } } }
                dl { @for (label, value) in &self.document.facts { div { dt { (label) } dd { (value) } } } }
            }
            (PreEscaped("</main></body></html>\n"))
        };
        out.extend_from_slice(rest.into_string().as_bytes());
        Ok(Ending::Whole)
    }
}

impl HtmlEncoder {
    fn count(&self, total: u64) -> String {
        let rows = |count: u64| if count == 1 { "1 row".to_owned() } else { format!("{count} rows") };
        match self.shown {
            0 if total == 0 => "No rows.".to_owned(),
            0 => format!("None of {}.", rows(total)),
            shown if shown == total => format!("{}.", rows(total)),
            shown => format!("Rows {} to {} of {total}.", self.document.offset + 1, self.document.offset + shown),
        }
    }
}

/// The head of a column, which orders by it: the other way around where it does already.
fn heading(column: &Column, document: &Document) -> Markup {
    let number = matches!(column.kind, ColumnType::Integer | ColumnType::Float | ColumnType::Number);
    let Some(links) = &document.links else {
        return html! { th scope="col" class=[number.then_some("n")] title=(column.summary) { (column.title) } };
    };
    let now = address::order(&links.query)
        .filter(|(handle, _)| *handle == column.name)
        .map(|(_, ascending)| ascending);
    let (state, mark) = match now {
        Some(true) => (Some("ascending"), " ▲"),
        Some(false) => (Some("descending"), " ▼"),
        None => (None, ""),
    };
    let target = address::ordered(&links.query, &column.name, now != Some(true));
    html! {
        th scope="col" class=[number.then_some("n")] title=(column.summary) aria-sort=[state] {
            a href=(target) { (column.title) (mark) }
        }
    }
}

/// The pages before and after this one, and the other formats.
fn pages(document: &Document, shown: u64, total: u64) -> Markup {
    let Some(links) = &document.links else {
        return html! {};
    };
    let page = |offset: u64| address::with(&links.query, &[("offset", offset.to_string())]);
    let before = document
        .limit
        .filter(|_| document.offset > 0)
        .map(|limit| page(document.offset.saturating_sub(limit)));
    let after = document.offset + shown;
    let after = (document.limit.is_some() && after < total).then(|| page(after));
    html! {
        @if let Some(before) = before { " " a href=(before) rel="prev" { "← before" } }
        @if let Some(after) = after { " " a href=(after) rel="next" { "more →" } }
        span.formats {
            "As "
            @for format in FORMATS.iter().filter(|format| format.name() != "html") {
                a href=(address::format(links, format.name())) { (format.name()) } " "
            }
        }
    }
}
