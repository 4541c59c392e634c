//! The SQL functions of headroom: what reports need and plain SQL says badly or slowly.
//!
//! A function is one file and one line in [`FUNCTIONS`]. Reports call them, and so may anybody who writes SQL.
//!
//! | function | gives |
//! |---|---|
//! | `working_hours(first, last, opens, closes, zone)` | windows, as an argument of the functions below |
//! | `working_time(hours)` | how long these windows are by the clock, in µs |
//! | `time_within(started, ended, hours)` | how much of an interval lies inside, in µs |
//! | `time_at_level(started, ended, licenses, hours)` | for each level k the time with at least k licenses in use, in µs |
//! | `active_users(who, started, ended, zone)` | for each local day how many hold a license, and how the counts of the last fortnight and of all time change |
//! | `daily_peak(who, started, ended, zone)` | for each local day the most holders at one instant |
//! | `local_day(at, zone)` | the calendar day of an instant |
//! | `period_start(at, granularity, zone)` | the wall-clock start of the period that holds an instant |
//! | `period_label(start, granularity)` | how a period is written, like `2019-Q2` |
//! | `periods(first, last, granularity)` | the starts of all periods that share a day with a range |
//!
//! One function is in no list and has no name that SQL knows: `pseudonym`, which the engine puts above the tables of those who
//! may not see names.

mod active_users;
mod arguments;
mod daily_peak;
mod holders;
mod local_day;
mod period_label;
mod period_start;
mod periods;
mod pseudonym;
mod sweep;
mod time_at_level;
mod time_within;
mod working_hours;
mod working_time;

pub(crate) use self::pseudonym::{Kind as NameKind, Pseudonyms};
use datafusion::execution::FunctionRegistry;
use datafusion::logical_expr::{AggregateUDF, AggregateUDFImpl, Expr, ScalarUDF, ScalarUDFImpl, lit};

use crate::time::Granularity;

/// A function, and how to make one.
#[derive(Debug, Clone, Copy)]
pub enum Function {
    /// One value a row.
    Scalar(fn() -> ScalarUDF),
    /// One value a group of rows.
    Aggregate(fn() -> AggregateUDF),
}

/// Every function.
pub const FUNCTIONS: &[Function] = &[
    scalar::<working_hours::WorkingHoursFunction>(),
    scalar::<working_time::WorkingTime>(),
    scalar::<time_within::TimeWithin>(),
    aggregate::<time_at_level::TimeAtLevel>(),
    aggregate::<active_users::ActiveUsers>(),
    aggregate::<daily_peak::DailyPeak>(),
    scalar::<local_day::LocalDay>(),
    scalar::<period_start::PeriodStart>(),
    scalar::<period_label::PeriodLabel>(),
    scalar::<periods::Periods>(),
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
        let mut names: Vec<String> = FUNCTIONS
            .iter()
            .map(|function| match function {
                Function::Scalar(make) => make().name().to_owned(),
                Function::Aggregate(make) => make().name().to_owned(),
            })
            .collect();
        names.sort_unstable();
        let before = names.len();
        names.dedup();
        assert_eq!(names.len(), before);
    }
}
