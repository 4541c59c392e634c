//! Every report, compiled.

use datafusion::logical_expr::LogicalPlan;

use super::bind::bind;
use super::compile::compile;
use super::refine::refine;
use super::source::source;
use super::{Definition, ReportError, Request, Wanted};
use crate::engine::{Engine, EngineError};
use crate::suggest;
use crate::time::Zone;

/// The files of `queries/reports/`, by name.
const REPORTS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/reports.rs"));
/// The files of `queries/relations/`, by name.
const RELATIONS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/relations.rs"));

/// Every report, by name.
#[derive(Debug)]
pub struct Catalog {
    reports: Vec<Report>,
}

/// A report that is ready for requests.
#[derive(Debug)]
pub struct Report {
    definition: Definition,
    plan: LogicalPlan,
    feature_names: LogicalPlan,
}

impl Catalog {
    /// Reads what every report is called, takes and says, without computing anything.
    ///
    /// # Errors
    ///
    /// [`ReportError::Definition`] names a file that makes no sense.
    pub fn definitions() -> Result<Vec<Definition>, ReportError> {
        REPORTS.iter().map(|(name, text)| Definition::parse(name, text)).collect()
    }

    /// Compiles every report.
    ///
    /// # Errors
    ///
    /// [`ReportError::Definition`] names a file that makes no sense.
    pub fn compile(engine: &Engine) -> Result<Self, ReportError> {
        let relation = |name: &str| {
            let found = RELATIONS.iter().find(|(known, _)| *known == name);
            let (name, sql) = found.ok_or_else(|| ReportError::Definition {
                report: name.to_owned(),
                reason: "there is no such relation".to_owned(),
            })?;
            compile(engine, name, sql, &[])
        };
        let feature_names = relation("feature-names")?;
        let reports = Self::definitions()?.into_iter().map(|definition| {
            Ok(Report {
                plan: compile(engine, &definition.name, &definition.sql, &definition.params)?,
                feature_names: feature_names.clone(),
                definition,
            })
        });
        Ok(Self {
            reports: reports.collect::<Result<_, ReportError>>()?,
        })
    }

    /// Every report.
    pub fn reports(&self) -> impl Iterator<Item = &Report> {
        self.reports.iter()
    }

    /// The report of a name.
    ///
    /// # Errors
    ///
    /// [`ReportError::UnknownReport`] says which there are.
    pub fn report(&self, name: &str) -> Result<&Report, ReportError> {
        let found = self.reports.iter().find(|report| report.definition.name == name);
        found.ok_or_else(|| ReportError::UnknownReport {
            name: name.to_owned(),
            known: self
                .reports
                .iter()
                .map(|report| report.definition.name.as_str())
                .collect::<Vec<_>>()
                .join(", "),
            hint: suggest::hint(name, self.reports.iter().map(|report| report.definition.name.as_str())),
        })
    }
}

impl Report {
    /// What it is called, takes and says.
    #[must_use]
    pub const fn definition(&self) -> &Definition {
        &self.definition
    }

    /// Its SQL, for who starts a query of their own from it: with parameters that are told and have values to try.
    ///
    /// # Errors
    ///
    /// When its file makes no sense.
    pub fn source(&self, zone: Zone) -> Result<String, ReportError> {
        source(&self.definition, zone)
    }

    /// The plan of a request. Its rows have the wanted columns, by handle, and may have more.
    ///
    /// # Errors
    ///
    /// When the values do not fit the plan, which is our fault.
    pub fn plan(&self, request: &Request, wanted: &Wanted) -> Result<LogicalPlan, EngineError> {
        let bound = bind(self.plan.clone(), &request.bindings)?;
        Ok(refine(&self.definition, bound, &self.feature_names, (request, wanted))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::EngineOptions;

    #[test]
    fn every_file_is_a_report_that_compiles() {
        let engine = Engine::new(&EngineOptions::default()).unwrap();
        let catalog = Catalog::compile(&engine).unwrap();
        assert_eq!(catalog.reports().count(), REPORTS.len());
    }

    /// The plan of a report, for a request with these parameters.
    struct Drawn {
        /// Its operators.
        physical: String,
        optimised: String,
        /// With its shortcuts, and every column.
        shortened: String,
    }

    fn planned(report: &str, given: &[(&str, &str)], rows: Option<u64>) -> Drawn {
        let engine = Engine::new(&EngineOptions::default()).unwrap();
        let catalog = Catalog::compile(&engine).unwrap();
        let report = catalog.report(report).unwrap();
        let snapshot = crate::store::Snapshot::empty(std::path::Path::new("/"));
        let scope = super::super::Scope {
            snapshot: &snapshot,
            view: &crate::engine::View::everything(),
            now: 0,
            calendars: &super::super::Calendars::default(),
            whole: true,
        };
        let given: Vec<(String, String)> = given
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let request = Request::parse(report.definition(), &given, scope).unwrap();
        let mut columns: Vec<String> = report.definition().columns.iter().map(|column| column.name.clone()).collect();
        let whole = Wanted {
            columns: columns.clone(),
            rows,
        };
        columns.truncate(1);
        let plan = report.plan(&request, &Wanted { columns, rows }).unwrap();
        Drawn {
            physical: engine.physical(&plan),
            optimised: engine.optimised(&plan),
            shortened: engine.shortened(&report.plan(&request, &whole).unwrap(), &snapshot),
        }
    }

    fn scan(report: &str, given: &[(&str, &str)]) -> String {
        let plan = planned(report, given, None).optimised;
        plan.lines().find(|line| line.contains("TableScan: denials")).unwrap().to_owned()
    }

    #[test]
    fn nothing_that_rows_are_ordered_by_is_lost_on_the_way() {
        for definition in Catalog::definitions().unwrap().iter().filter(|definition| definition.of_features()) {
            let others = [("st", "09:00"), ("et", "17:00"), ("grat", "DAY")];
            let others = others
                .into_iter()
                .filter(|(name, _)| definition.params.iter().any(|param| param.name == *name));
            for column in &definition.columns {
                let given: Vec<(&str, &str)> = DAYS
                    .into_iter()
                    .chain(others.clone())
                    .chain([("orderBy", column.name.as_str())])
                    .collect();
                let plan = planned(&definition.name, &given, Some(2)).physical;
                let sort = plan.lines().find(|line| line.contains("SortExec")).unwrap();
                for handle in definition.order.iter().map(String::as_str).chain(["fid"]) {
                    assert!(sort.contains(&format!("{handle}@")), "{handle} in {sort}");
                }
            }
        }
    }

    const DAYS: [(&str, &str); 3] = [("feature", "all"), ("sd", "2026-03-02"), ("ed", "2026-03-03")];

    #[test]
    fn filters_reach_the_scan() {
        let filter = r#"[{"property":"un","operator":"eq","value":"ben"},{"property":"ldtc","operator":"gt","value":1},
            {"property":"ldt","operator":"lt","value":"2026-03-03"},{"property":"hn","value":"ws"},{"property":"fid","value":2}]"#;
        let scan = scan("denials", &[&DAYS[..], &[("filter", filter)]].concat());
        let filters = scan.split("filters=").nth(1).unwrap();
        for part in ["user_name = ", "licenses > ", "at < ", "lower(denials.host)", "feature_id = "] {
            assert!(filters.contains(part), "{part} in {scan}");
        }
    }

    #[test]
    fn only_what_is_shown_filtered_or_ordered_by_is_read() {
        let all = scan("denials", &DAYS);
        assert!(
            all.contains("user_name") && all.contains("host"),
            "the natural order has them: {all}"
        );
        assert!(!all.contains("reason_class") && !all.contains("is_true"), "{all}");
    }

    #[test]
    fn what_days_know_is_not_read_from_tables() {
        let hours = [("st", "08:30"), ("et", "17:10")];
        for (report, others) in [
            ("utilization-history", &hours[..]),
            ("grouped-denials", &[("grat", "HOUR")]),
            ("users-count", &[]),
            ("users-count", &[("model", "2019")]),
        ] {
            let of_features = Catalog::definitions()
                .unwrap()
                .iter()
                .any(|known| known.name == report && known.of_features());
            let days = if of_features { &DAYS[..] } else { &DAYS[1..] };
            let plan = planned(report, &[days, others].concat(), None).shortened;
            assert!(plan.contains("TableScan: shortcut"), "{report}: {plan}");
            assert!(
                !plan.contains("TableScan: sessions") && !plan.contains("TableScan: denials"),
                "{report}: {plan}"
            );
        }
    }

    #[test]
    fn paths_and_handles_are_nobody_elses() {
        let definitions = Catalog::definitions().unwrap();
        let mut paths: Vec<&String> = definitions
            .iter()
            .flat_map(|report| report.aliases.iter().chain([&report.path]))
            .collect();
        assert!(paths.iter().all(|path| path.starts_with('/') && path.ends_with("/{format}")));
        let before = paths.len();
        paths.sort_unstable();
        paths.dedup();
        assert_eq!(paths.len(), before);
        for report in &definitions {
            let mut names: Vec<&String> = report
                .params
                .iter()
                .flat_map(|param| param.aliases.iter().chain([&param.name]))
                .collect();
            names.extend(super::super::STANDARD.iter().map(|param| &param.name));
            let before = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), before, "{}", report.name);
        }
    }
}
