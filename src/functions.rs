//! The SQL functions of headroom: what reports need and plain SQL says badly or slowly.
//!
//! A function is one file and one line in [`FUNCTIONS`]. Reports call them, and so may anybody who writes SQL.
//!
//! What each gives is said by its `documentation`, which `docs/sql.md` and `SHOW FUNCTIONS` print; the example in it is run by a test.
//!
//! One function is in no list and has no name that SQL knows: `pseudonym`, which the engine puts above the tables of those who
//! may not see names.

mod active_users;
mod arguments;
mod by_day;
mod daily_peak;
mod documentation;
mod grants;
mod holders;
mod local_day;
mod pattern;
mod period_label;
mod period_start;
mod periods;
mod pseudonym;
mod sweep;
mod time_at_level;
mod time_within;
mod timezone;
mod to_char;
mod with_pattern;
mod working_hours;
mod working_time;

pub(crate) use self::active_users::list_of_changes;
pub(crate) use self::arguments::windows_of;
pub(crate) use self::daily_peak::list_of_peaks;
pub(crate) use self::grants::VisibleGrants;
pub(crate) use self::pseudonym::{Kind as NameKind, Pseudonyms};
pub(crate) use self::time_at_level::list_of_levels;
pub(crate) use self::timezone::Timezone;
pub(crate) use self::with_pattern::with_patterns;
use datafusion::execution::FunctionRegistry;
use datafusion::logical_expr::{AggregateUDF, AggregateUDFImpl, Documentation, Expr, ScalarUDF, ScalarUDFImpl, lit};

use crate::time::Granularity;

/// A function, and how to make one.
#[derive(Debug, Clone, Copy)]
pub enum Function {
    /// One value a row.
    Scalar(fn() -> ScalarUDF),
    /// One value a group of rows.
    Aggregate(fn() -> AggregateUDF),
}

impl Function {
    /// What SQL calls it.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Scalar(make) => make().name().to_owned(),
            Self::Aggregate(make) => make().name().to_owned(),
        }
    }

    /// What it says of itself.
    #[must_use]
    pub fn documentation(self) -> Option<Documentation> {
        match self {
            Self::Scalar(make) => make().documentation().cloned(),
            Self::Aggregate(make) => make().documentation().cloned(),
        }
    }
}

/// Every function.
pub const FUNCTIONS: &[Function] = &[
    scalar::<working_hours::WorkingHoursFunction>(),
    scalar::<working_time::WorkingTime>(),
    scalar::<time_within::TimeWithin>(),
    aggregate::<time_at_level::TimeAtLevel>(),
    aggregate::<active_users::ActiveUsers>(),
    aggregate::<daily_peak::DailyPeak>(),
    scalar::<by_day::ByDay>(),
    scalar::<local_day::LocalDay>(),
    scalar::<period_start::PeriodStart>(),
    scalar::<period_label::PeriodLabel>(),
    scalar::<periods::Periods>(),
    scalar::<Timezone>(),
    scalar::<to_char::ToChar>(),
];

/// `period_label(start, granularity)` of expressions.
pub(crate) fn period_label(start: Expr, granularity: Granularity) -> Expr {
    ScalarUDF::new_from_impl(period_label::PeriodLabel::default()).call(vec![start, lit(granularity.name())])
}

const fn scalar<F: ScalarUDFImpl + Default + 'static>() -> Function {
    Function::Scalar(|| ScalarUDF::new_from_impl(F::default()))
}

const fn aggregate<F: AggregateUDFImpl + Default + 'static>() -> Function {
    Function::Aggregate(|| AggregateUDF::new_from_impl(F::default()))
}

/// Makes every function known.
///
/// # Errors
///
/// When the registry refuses one.
pub fn register(registry: &mut dyn FunctionRegistry) -> datafusion::error::Result<()> {
    for function in FUNCTIONS {
        match function {
            Function::Scalar(make) => drop(registry.register_udf(make().into())?),
            Function::Aggregate(make) => drop(registry.register_udaf(make().into())?),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_functions_share_a_name() {
        let mut names: Vec<String> = FUNCTIONS.iter().map(|function| function.name()).collect();
        names.sort_unstable();
        let before = names.len();
        names.dedup();
        assert_eq!(names.len(), before);
    }

    #[test]
    fn every_function_says_how_it_is_called_and_with_what() {
        for function in FUNCTIONS {
            let name = function.name();
            let told = function.documentation().unwrap_or_else(|| panic!("{name} says nothing of itself"));
            let arguments: Vec<String> = told.arguments.unwrap().into_iter().map(|(name, _)| name).collect();
            assert_eq!(told.syntax_example, format!("{name}({})", arguments.join(", ")));
            assert!(
                told.description.ends_with('.') && told.sql_example.unwrap().contains(&format!("{name}(")),
                "{name}"
            );
        }
    }
}
