//! What an aggregate asks for, if days know it.

use std::collections::BTreeSet;

use arrow::datatypes::DataType;
use datafusion::common::Column;
use datafusion::common::tree_node::{Transformed, TransformedResult as _, TreeNode as _};
use datafusion::logical_expr::expr::{AggregateFunction, InList};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Aggregate, BinaryExpr, Expr, LogicalPlan, Operator, TableScan};
use datafusion::scalar::ScalarValue;

use super::denials::FEW;
use crate::engine::days::{DeniedAsked, HoldersAsked, LevelsAsked, Rows};
use crate::event::Table;
use crate::functions::windows_of;
use crate::store::{Id, Snapshot};
use crate::time::{Granularity, Micros, Zone};

/// What days are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    /// `time_at_level`, for each feature.
    Levels(LevelsAsked),
    /// `active_users`, perhaps of several kinds of rows, and `daily_peak` of hosts.
    Holders(HoldersAsked, Vec<OfHolders>),
    /// `sum` of denied licenses, for each feature and `period_start`.
    Denied(DeniedAsked),
}

/// What is told of holders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OfHolders {
    /// `active_users`: one of the counts.
    Users(usize),
    /// `daily_peak`.
    Hosts,
}

impl Asked {
    pub(super) fn of(aggregate: &Aggregate, snapshot: &Snapshot) -> Option<Self> {
        if aggregate.group_expr.is_empty() {
            return Self::of_holders(aggregate);
        }
        let [called] = &aggregate.aggr_expr[..] else {
            return None;
        };
        let AggregateFunction { func, params } = called_as_it_is(called)?;
        if params.filter.is_some() {
            return None;
        }
        match (func.name(), &params.args[..], &aggregate.group_expr[..]) {
            ("time_at_level", [started, ended, licenses, Expr::Literal(hours, _)], [group]) => {
                let wanted = [group, started, ended, licenses];
                let [source] = &sources(&aggregate.input, &wanted.map(Clone::clone))?[..] else {
                    return None;
                };
                let all_are = source.takes(["feature_id", "started", "ended", "licenses"]);
                let windows = windows_of(hours)?;
                // Whatever lies outside of the bounds must not matter.
                let covered = windows.first().is_none_or(|first| source.from <= first.start())
                    && windows.last().is_none_or(|last| last.end() <= source.until);
                (source.table == Table::Sessions && all_are && covered).then(|| {
                    Self::Levels(LevelsAsked {
                        features: source.features(snapshot),
                        windows,
                    })
                })
            }
            ("sum", [licenses], [feature, period]) => {
                let (at, granularity, zone) = period_of(period)?;
                let [source] = &sources(&aggregate.input, &[feature.clone(), at.clone(), uncast(licenses).clone()])?[..] else {
                    return None;
                };
                let all_are = source.takes(["feature_id", "at", "licenses"]);
                let features = source.features(snapshot);
                // Of many features, what is read once does not stay in memory.
                (source.table == Table::Denials && all_are && features.len() <= FEW).then_some(Self::Denied(DeniedAsked {
                    features,
                    from: source.from,
                    until: source.until,
                    granularity,
                    zone,
                }))
            }
            _ => None,
        }
    }

    /// Users and hosts of the same rows, or of some of them.
    fn of_holders(aggregate: &Aggregate) -> Option<Self> {
        let mut asked: Option<HoldersAsked> = None;
        let mut columns = Vec::new();
        for called in &aggregate.aggr_expr {
            let AggregateFunction { func, params } = called_as_it_is(called)?;
            let [who, started, ended, Expr::Literal(zone, _)] = &params.args[..] else {
                return None;
            };
            let of_rows = [Some(who), Some(started), Some(ended), params.filter.as_deref()];
            let values: Vec<Expr> = of_rows.into_iter().flatten().cloned().collect();
            let rows_of = |name| -> Option<Vec<Rows>> {
                let rows = sources(&aggregate.input, &values)?.into_iter().map(|source| source.rows(name));
                Some(rows.collect::<Option<Vec<_>>>()?.into_iter().flatten().collect())
            };
            let zone = zone_of(zone)?;
            let asked = asked.get_or_insert(HoldersAsked {
                users: Vec::new(),
                hosts: None,
                zone,
            });
            if asked.zone != zone {
                return None;
            }
            match func.name() {
                "active_users" => {
                    columns.push(OfHolders::Users(asked.users.len()));
                    asked.users.push(rows_of("user_name")?);
                }
                // Peaks of several tables cannot be added up, and of denials there are none.
                "daily_peak" => match (&rows_of("host")?[..], &asked.hosts) {
                    ([of], None) if of.table == Table::Sessions => {
                        columns.push(OfHolders::Hosts);
                        asked.hosts = Some(of.clone());
                    }
                    _ => return None,
                },
                _ => return None,
            }
        }
        Some(Self::Holders(asked?, columns))
    }
}

/// The call of an aggregate function, if it takes each row, in any order.
fn called_as_it_is(called: &Expr) -> Option<&AggregateFunction> {
    let called = match called {
        Expr::Alias(alias) => &alias.expr,
        called => called,
    };
    let Expr::AggregateFunction(called) = called else {
        return None;
    };
    (!called.params.distinct && called.params.order_by.is_empty()).then_some(called)
}

/// Of which features denials are read, and between which instants, if these are few; other conditions are for whoever reads them.
pub(super) fn few_denials(scan: &TableScan, snapshot: &Snapshot) -> Option<(Vec<Id>, Micros, Micros)> {
    if scan.table_name.table() != Table::Denials.name() || scan.fetch.is_some() {
        return None;
    }
    let mut source = Source::of_table(Table::Denials, &[]);
    for filter in scan.filters.iter().flat_map(split_conjunction) {
        let _others = source.narrow_by(filter);
    }
    source.features.as_ref()?;
    let features = source.features(snapshot);
    (features.len() <= FEW).then_some((features, source.from, source.until))
}

/// Which instant's period it is, and of what length where.
fn period_of(group: &Expr) -> Option<(Expr, Granularity, Zone)> {
    let Expr::ScalarFunction(called) = group.clone().unalias() else {
        return None;
    };
    match (called.name(), &called.args[..]) {
        ("period_start", [at, Expr::Literal(granularity, _), Expr::Literal(zone, _)]) => {
            Some((at.clone(), granularity.try_as_str()??.parse().ok()?, zone_of(zone)?))
        }
        _ => None,
    }
}

/// What a number was before it was made a wider one.
fn uncast(value: &Expr) -> &Expr {
    match value {
        Expr::Cast(cast) if *cast.field.data_type() == DataType::Int64 => &cast.expr,
        value => value,
    }
}

fn zone_of(value: &ScalarValue) -> Option<Zone> {
    value.try_as_str()??.parse().ok()
}

/// Rows of a table, and what is taken of each.
#[derive(Debug)]
struct Source {
    table: Table,
    /// What is taken, in columns of the table.
    values: Vec<Expr>,
    servers: Option<BTreeSet<Id>>,
    features: Option<BTreeSet<Id>>,
    from: Micros,
    until: Micros,
}

impl Source {
    fn of_table(table: Table, values: &[Expr]) -> Self {
        Self {
            table,
            values: values.to_vec(),
            servers: None,
            features: None,
            from: Micros::MIN,
            until: Micros::MAX,
        }
    }

    fn features(&self, snapshot: &Snapshot) -> Vec<Id> {
        let known = snapshot.features().iter().map(|state| &state.feature);
        let meant = known.filter(|feature| {
            self.features.as_ref().is_none_or(|features| features.contains(&feature.id))
                && self.servers.as_ref().is_none_or(|servers| servers.contains(&feature.server))
        });
        meant.map(|feature| feature.id).collect()
    }

    /// Whether what is taken are these columns, as they are.
    fn takes<const N: usize>(&self, columns: [&str; N]) -> bool {
        self.values.iter().zip(columns).all(|(value, name)| is_column(value, name))
    }

    /// The rows, if what is taken of them is a name, and since when and until when something happened; none if a condition that
    /// may come after that is never true. Nothing if all of that is not understood.
    fn rows(mut self, name: &str) -> Option<Option<Rows>> {
        let values = std::mem::take(&mut self.values);
        let [who, started, ended, conditions @ ..] = &values[..] else {
            return None;
        };
        for condition in conditions.iter().flat_map(split_conjunction) {
            match condition {
                Expr::Literal(ScalarValue::Boolean(Some(true)), _) => {}
                Expr::Literal(ScalarValue::Boolean(_), _) => return Some(None),
                condition => self.narrow_by(condition)?,
            }
        }
        let of_time = match self.table {
            Table::Sessions => is_column(started, "started") && is_column(ended, "ended"),
            Table::Denials => is_column(started, "at") && is_just_after(ended, "at"),
            _ => false,
        };
        (is_column(who, name) && of_time && self.features.is_none()).then_some(Some(Rows {
            table: self.table,
            servers: self.servers,
            from: self.from,
            until: self.until,
        }))
    }
}

fn is_column(value: &Expr, name: &str) -> bool {
    matches!(value, Expr::Column(column) if column.name == name)
}

/// Whether it is an instant and a microsecond.
fn is_just_after(value: &Expr, name: &str) -> bool {
    let Expr::BinaryExpr(BinaryExpr {
        left,
        op: Operator::Plus,
        right,
    }) = value
    else {
        return false;
    };
    let microsecond = ScalarValue::new_interval_mdn(0, 0, 1000);
    is_column(left, name) && matches!(&**right, Expr::Literal(value, _) if *value == microsecond)
}

/// The tables that values come from, if each row of a plan is a row of a table.
fn sources(plan: &LogicalPlan, values: &[Expr]) -> Option<Vec<Source>> {
    match plan {
        LogicalPlan::SubqueryAlias(alias) => {
            let input = alias.input.schema();
            let inside = |column: &Column| {
                let place = alias.schema.maybe_index_of_column(column)?;
                Some(Expr::Column(Column::from(input.qualified_field(place))))
            };
            sources(&alias.input, &replaced(values, &inside)?)
        }
        LogicalPlan::Projection(projection) => {
            let inside = |column: &Column| {
                let place = projection.schema.maybe_index_of_column(column)?;
                Some(projection.expr.get(place)?.clone().unalias())
            };
            sources(&projection.input, &replaced(values, &inside)?)
        }
        LogicalPlan::Union(union) => {
            let of_input = |input: &std::sync::Arc<LogicalPlan>| {
                let inside = |column: &Column| {
                    let place = union.schema.maybe_index_of_column(column)?;
                    Some(Expr::Column(Column::from(input.schema().qualified_field(place))))
                };
                sources(input, &replaced(values, &inside)?)
            };
            let all: Option<Vec<Vec<Source>>> = union.inputs.iter().map(of_input).collect();
            Some(all?.into_iter().flatten().collect())
        }
        LogicalPlan::Filter(filter) => {
            let mut sources = sources(&filter.input, values)?;
            // Only where rows come from do columns have the names that filters are understood by.
            let [source] = &mut sources[..] else {
                return None;
            };
            is_of_table(&filter.input).then_some(())?;
            source.narrow(&filter.predicate)?;
            Some(sources)
        }
        LogicalPlan::TableScan(scan) if scan.fetch.is_none() => {
            let table = Table::from_name(scan.table_name.table())?;
            let mut source = Source::of_table(table, values);
            for filter in &scan.filters {
                source.narrow(filter)?;
            }
            Some(vec![source])
        }
        LogicalPlan::EmptyRelation(empty) if !empty.produce_one_row => Some(Vec::new()),
        _ => None,
    }
}

fn is_of_table(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Filter(filter) => is_of_table(&filter.input),
        plan => matches!(plan, LogicalPlan::TableScan(_)),
    }
}

/// Values with what stands behind their columns; nothing if it is not known of one of them.
fn replaced(values: &[Expr], inside: &dyn Fn(&Column) -> Option<Expr>) -> Option<Vec<Expr>> {
    let one = |value: &Expr| {
        let mut known = true;
        let replaced = value.clone().transform_up(|part| match part {
            Expr::Column(column) => {
                let behind = inside(&column);
                known &= behind.is_some();
                Ok(behind.map_or(Transformed::no(Expr::Column(column)), Transformed::yes))
            }
            part => Ok(Transformed::no(part)),
        });
        replaced.data().ok().filter(|_| known)
    };
    values.iter().map(one).collect()
}

impl Source {
    /// Takes up a condition; nothing if it is not understood.
    fn narrow(&mut self, condition: &Expr) -> Option<()> {
        split_conjunction(condition)
            .into_iter()
            .try_for_each(|condition| self.narrow_by(condition))
    }

    fn narrow_by(&mut self, condition: &Expr) -> Option<()> {
        match condition {
            Expr::InList(InList {
                expr,
                list,
                negated: false,
            }) => {
                let ids: Option<BTreeSet<Id>> = list.iter().map(id_of).collect();
                self.only(expr, ids?)
            }
            Expr::BinaryExpr(BinaryExpr {
                left,
                op: Operator::Eq,
                right,
            }) => match (id_of(right), id_of(left)) {
                (Some(id), _) => self.only(left, BTreeSet::from([id])),
                (_, Some(id)) => self.only(right, BTreeSet::from([id])),
                _ => None,
            },
            // A few of a list may have become alternatives.
            Expr::BinaryExpr(BinaryExpr { op: Operator::Or, .. }) => {
                let mut ids = BTreeSet::new();
                let column = alternatives(condition, &mut ids)?;
                self.only(&column, ids)
            }
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
                let (column, op, value) = match (&**left, &**right) {
                    (Expr::Column(column), Expr::Literal(value, _)) => (column, *op, value),
                    (Expr::Literal(value, _), Expr::Column(column)) => (column, op.swap()?, value),
                    _ => return None,
                };
                let ScalarValue::TimestampMicrosecond(Some(at), _) = value else {
                    return None;
                };
                match (self.table, column.name.as_str(), op) {
                    (Table::Sessions, "started", Operator::Lt) | (Table::Denials, "at", Operator::Lt) => self.until = self.until.min(*at),
                    (Table::Sessions, "ended", Operator::Gt) | (Table::Denials, "at", Operator::GtEq) => self.from = self.from.max(*at),
                    _ => return None,
                }
                Some(())
            }
            _ => None,
        }
    }

    fn only(&mut self, column: &Expr, ids: BTreeSet<Id>) -> Option<()> {
        let Expr::Column(column) = column else {
            return None;
        };
        let known = match column.name.as_str() {
            "server_id" => &mut self.servers,
            "feature_id" => &mut self.features,
            _ => return None,
        };
        *known = Some(match known.take() {
            Some(known) => known.intersection(&ids).copied().collect(),
            None => ids,
        });
        Some(())
    }
}

fn id_of(value: &Expr) -> Option<Id> {
    match value {
        Expr::Literal(ScalarValue::Int32(Some(id)), _) => Some(*id),
        _ => None,
    }
}

/// The column that is one of several numbers.
fn alternatives(condition: &Expr, ids: &mut BTreeSet<Id>) -> Option<Expr> {
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = condition else {
        return None;
    };
    match op {
        Operator::Or => {
            let column = alternatives(left, ids)?;
            (alternatives(right, ids)? == column).then_some(column)
        }
        Operator::Eq => {
            ids.insert(id_of(right)?);
            Some((**left).clone())
        }
        _ => None,
    }
}
