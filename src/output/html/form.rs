//! The parameters as a form that asks again.

use maud::{Markup, html};

use crate::output::{Document, FORM_MARK, Field};
use crate::report::{Param, ParamType};
use crate::time::Granularity;

/// The form; nothing where nobody can be asked.
pub(super) fn of(document: &Document) -> Markup {
    let Some(links) = &document.links else {
        return html! {};
    };
    let (usual, options): (Vec<&Field>, Vec<&Field>) = links.fields.iter().partition(|field| !is_option(&field.param));
    let used = options.iter().any(|field| field.value.is_some());
    html! {
        form method="get" {
            div.fields { @for field in usual { (of_field(field)) } }
            details open[used] {
                summary { "Columns, filters, order" }
                div.fields { @for field in options { (of_field(field)) } }
            }
            input type="hidden" name=(FORM_MARK) value="1";
            button type="submit" { "Ask again" }
        }
    }
}

/// Whether a parameter is one that people rarely type.
fn is_option(param: &Param) -> bool {
    crate::report::STANDARD.iter().any(|standard| standard.name == param.name)
}

fn of_field(field: &Field) -> Markup {
    let Field { param, value } = field;
    let value = value.as_deref();
    let input = |kind: &str| html! { input type=(kind) id=(param.name) name=(param.name) value=[value] required[param.required]; };
    let example = |text: &str| {
        html! { input type="text" id=(param.name) name=(param.name) value=[value] placeholder=(text) required[param.required]; }
    };
    let choice = |values: &[(&str, &str)]| {
        html! {
            select id=(param.name) name=(param.name) required[param.required] {
                @if !param.required { option value="" {} }
                @for (known, label) in values {
                    option value=(known) selected[is_chosen(param, value, known)] { (label) }
                }
            }
        }
    };
    html! {
        div.field title=(param.expected()) {
            label for=(param.name) { (param.summary) " " code { (param.name) } }
            @match param.kind {
                ParamType::Date => (input("date")),
                ParamType::Time => (input("time")),
                ParamType::Count | ParamType::Offset | ParamType::Seconds => (input("number")),
                ParamType::Boolean => (choice(&[("true", "yes"), ("false", "no")])),
                ParamType::Direction => (choice(&[("ASC", "smallest first"), ("DESC", "greatest first")])),
                ParamType::Granularity => (choice(&Granularity::ALL.map(|granularity| (granularity.name(), granularity.name())))),
                ParamType::Enumeration => (choice(&param.values.iter().map(|value| (value.as_str(), value.as_str())).collect::<Vec<_>>())),
                ParamType::Weekdays => (example("mon-fri")),
                ParamType::Holidays => (example("2026-12-24..2026-12-26")),
                _ => (input("text")),
            }
        }
    }
}

/// Whether a value, as it was given, is this one.
fn is_chosen(param: &Param, value: Option<&str>, known: &str) -> bool {
    let read = |text: &str| param.parse(&param.name, text).ok();
    value.is_some_and(|value| read(value).is_some_and(|value| read(known) == Some(value)))
}
