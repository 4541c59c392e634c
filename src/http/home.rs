//! The first page: the features that the caller sees, and every report.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use maud::{Markup, html};

use super::page::{page, wants_page};
use super::{ApiError, Shared};
use crate::access::Access;
use crate::engine::View;
use crate::report::Definition;
use crate::store::{FeatureState, ServerState, Snapshot};
use crate::time::Day;

/// The most features that are listed; the list of features has all of them.
const MOST_FEATURES: usize = 200;
/// The days that the links of a feature are about, up to the last one known of its server.
const DAYS: i32 = 30;

/// Answers a browser with a page; a program that asks for data is told that there is none.
pub(super) async fn get(State(shared): State<Shared>, access: Access, headers: HeaderMap) -> Result<Response, ApiError> {
    if !wants_page(&headers) {
        return Err(ApiError::unknown_path("/"));
    }
    let snapshot = shared.app.snapshot()?;
    let view = View::of(&access, &snapshot);
    let features: Vec<(&FeatureState, &ServerState)> = snapshot
        .features()
        .iter()
        .filter_map(|feature| Some((feature, snapshot.server(feature.feature.server)?)))
        .filter(|(_, server)| view.sees(server.server.id))
        .collect();
    let reports = shared.app.catalog().reports().map(|report| report.definition());
    let body = html! {
        (features_table(&features, &snapshot))
        h2 { "Reports" }
        ul { @for report in reports { li { (report_link(report)) } } }
        h2 { "More" }
        ul {
            li { a href="/docs" { "API reference" } ": every path and parameter" }
            li { a href="/api/v1/sql?q=SELECT+*+FROM+features&format=html" { "SQL" } ": queries over events, sessions and denials" }
            li { a href="/metrics" { "Metrics" } ": for Prometheus" }
        }
    };
    Ok(page("License usage", "Features, reports and SQL of this server", &body))
}

fn features_table(features: &[(&FeatureState, &ServerState)], snapshot: &Snapshot) -> Markup {
    html! {
        h2 { "Features" }
        @if features.is_empty() {
            p { "No feature is known yet: import a log with " code { "headroom import" } "." }
        } @else {
            div.table { table {
                thead { tr { th { "Number" } th { "Feature" } th { "Version" } th { "License server" } th { "Vendor" } th { "Total" } th { "Reports" } } }
                tbody {
                    @for (feature, server) in features.iter().take(MOST_FEATURES) {
                        tr {
                            td.n { (feature.feature.id) }
                            td { (feature.feature.name) }
                            td { (feature.feature.version) }
                            td { (server.server.name) }
                            td { (feature.feature.vendor) }
                            td.n { @if let Some(total) = feature.total { (total) } }
                            td { (links(feature, server, snapshot)) }
                        }
                    }
                }
            } }
            @if features.len() > MOST_FEATURES {
                p { "These are " (MOST_FEATURES) " of " (features.len()) "; " a href="/api/v1/feature/html" { "all of them" } "." }
            }
        }
    }
}

/// Links to the reports of a feature, of the last days known of its license server.
fn links(feature: &FeatureState, server: &ServerState, snapshot: &Snapshot) -> Markup {
    let last: Day = server.last.map_or_else(Day::default, |last| snapshot.zone().day_of(last));
    let range = format!("sd={}&ed={last}", last.plus(1 - DAYS));
    let base = format!("/api/v1/report/feature/{}", feature.feature.id);
    html! {
        a href={ (base) "/utilization-history/html?" (range) "&st=09:00&et=17:00" } { "Utilization" }
        " · "
        a href={ (base) "/denials/html?" (range) } { "Denials" }
        " · "
        a href={ (base) "/denials/grouped/html?" (range) "&grat=DAY" } { "Denials by day" }
    }
}

/// A report that needs no feature has a page of its own; the others are asked for a feature.
fn report_link(report: &Definition) -> Markup {
    let path = format!("/api/v1{}", report.path.replace("{format}", "html"));
    html! {
        @if path.contains('{') { strong { (report.title) } } @else { a href=(path) { (report.title) } }
        ": " (report.summary)
    }
}
