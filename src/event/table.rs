//! The tables of a store and their columns.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

/// A table whose rows are kept as Parquet partitions by day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// What license servers recorded; the source of truth. Sorted by feature and instant.
    Events,
    /// Holdings of licenses, one row a session and day. Sorted by feature and start.
    Sessions,
    /// Refused requests. Sorted by feature and instant.
    Denials,
    /// What is held at the first instant of the day. Private to the store. Sorted by feature and start.
    Open,
    /// How long each number of licenses was in use in each quarter of an hour. A rollup of [`Table::Sessions`], private to the
    /// store. Sorted by feature, quarter and level.
    Levels,
    /// Who held a license or was denied one. A rollup, private to the store. Sorted by server and user.
    UserDays,
    /// The most hosts at one instant, of each server and of all. A rollup, private to the store.
    HostPeaks,
}

/// A column, and what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableColumn {
    /// Its name and type, and whether it may be null.
    pub field: Field,
    /// What it means, in one line.
    pub meaning: &'static str,
}

impl Table {
    /// Every table.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Events,
        Self::Sessions,
        Self::Denials,
        Self::Open,
        Self::Levels,
        Self::UserDays,
        Self::HostPeaks,
    ];

    /// How many there are.
    pub const COUNT: usize = 7;

    /// The name in SQL, in the catalog and of the folder.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Sessions => "sessions",
            Self::Denials => "denials",
            Self::Open => "open",
            Self::Levels => "levels",
            Self::UserDays => "user_days",
            Self::HostPeaks => "host_peaks",
        }
    }

    /// The table of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }

    /// Whether it follows from [`Table::Events`] and can be rebuilt.
    #[must_use]
    pub const fn derived(self) -> bool {
        !matches!(self, Self::Events)
    }

    /// Whether it sums up what other tables say, for answers that are quick; without it they are the same.
    #[must_use]
    pub const fn rollup(self) -> bool {
        matches!(self, Self::Levels | Self::UserDays | Self::HostPeaks)
    }

    /// Whether SQL sees it.
    #[must_use]
    pub const fn public(self) -> bool {
        matches!(self, Self::Events | Self::Sessions | Self::Denials)
    }

    /// What its rows are, in one line.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Events => "what license servers recorded, one row an event",
            Self::Sessions => "who held licenses from when to when, one row a session and day, cut at the ends of the day",
            Self::Denials => "requests that were refused, one row a request",
            Self::Open => "sessions that are held at the first instant of the day",
            Self::Levels => "how long each number of licenses of a feature was in use, one row a quarter of an hour and number",
            Self::UserDays => "who held a license or was denied one, one row a server and user",
            Self::HostPeaks => "the most hosts that held a license at one instant, of a server and of all, one row a server",
        }
    }

    /// The columns of its files; `day`, the partition, is in the path. What they mean stays out of the files, which would
    /// have other bytes with every better word.
    #[must_use]
    pub fn schema(self) -> SchemaRef {
        static SCHEMAS: LazyLock<[SchemaRef; Table::COUNT]> = LazyLock::new(|| {
            Table::ALL.map(|table| {
                let fields = table.columns().into_iter().map(|column| column.field);
                Arc::new(Schema::new(fields.collect::<Vec<_>>()))
            })
        });
        Arc::clone(&SCHEMAS[self as usize])
    }

    /// These columns, and what they mean.
    #[must_use]
    pub fn columns(self) -> Vec<TableColumn> {
        match self {
            Self::Events => vec![
                column(
                    instant("at").with_nullable(false),
                    "when it happened; of a `session`, when that began",
                ),
                column(
                    text("event").with_nullable(false),
                    "what happened: `checkout`, `checkin`, `session`, `denial`, `unsupported`, `queued`, `dequeued`, `reserved`, `capacity`, `server_up` or `server_down`",
                ),
                column(
                    integer("server_id").with_nullable(false),
                    "on which license server, by its number in `servers`",
                ),
                column(
                    integer("feature_id"),
                    "of which feature, by its number in `features`; null for `server_up` and `server_down`",
                ),
                column(text("user_name"), "who"),
                column(text("host"), "on which host"),
                column(text("display"), "on which display"),
                column(text("group_data"), "what a license is shared by, where the source says so"),
                column(
                    integer("licenses").with_nullable(false),
                    "how many licenses; of a `capacity`, the new total",
                ),
                column(Field::new("handle", DataType::Utf8, true), "what ties a checkin to its checkout"),
                column(integer("reason_code"), "the license manager's number for a refusal"),
                column(text("reason"), "its words for a refusal"),
                column(text("project"), "the project that the request was booked on"),
                column(instant("ended"), "the end of a `session`, which came in paired"),
                column(instant("borrow_until"), "until when the license is borrowed"),
                column(
                    Field::new("expires", DataType::Date32, true),
                    "the last day of the license, where a `capacity` tells it",
                ),
                column(text("source"), "the file that told it"),
                column(
                    Field::new("line", DataType::Int64, false),
                    "the line of that file, or the row, from 1",
                ),
            ],
            Self::Sessions => vec![
                column(instant("started").with_nullable(false), "since when licenses were held on the day"),
                column(
                    instant("ended").with_nullable(false),
                    "until when, not included; the first instant of the next day at the latest",
                ),
                column(
                    instant("session_started").with_nullable(false),
                    "when the whole session began, on whichever day",
                ),
                column(
                    Field::new("continues", DataType::Boolean, false),
                    "whether it goes on after `ended`, or its end is not known",
                ),
                column(
                    integer("server_id").with_nullable(false),
                    "the license server, by its number in `servers`",
                ),
                column(
                    integer("feature_id").with_nullable(false),
                    "the feature, by its number in `features`",
                ),
                column(text("user_name"), "who held the licenses"),
                column(text("host"), "on which host"),
                column(integer("licenses").with_nullable(false), "how many licenses"),
            ],
            Self::Denials => vec![
                column(instant("at").with_nullable(false), "when it was refused"),
                column(
                    integer("server_id").with_nullable(false),
                    "by which license server, by its number in `servers`",
                ),
                column(
                    integer("feature_id").with_nullable(false),
                    "which feature, by its number in `features`",
                ),
                column(text("user_name"), "to whom"),
                column(text("host"), "on which host"),
                column(integer("licenses").with_nullable(false), "how many licenses were asked for"),
                column(
                    text("reason_class").with_nullable(false),
                    "why: `capacity`, `queued`, `not_entitled`, `excluded` or `other`",
                ),
                column(
                    Field::new("is_true", DataType::Boolean, false),
                    "whether the user went without: of class `capacity` or `queued`, and no license of the feature within 5 s",
                ),
                column(integer("reason_code"), "the license manager's number for the refusal"),
                column(text("reason"), "the license manager's words for the refusal"),
                column(
                    text("granted_by"),
                    "license servers that gave the user a license of the feature within 5 s, by their numbers with commas between; null for none",
                ),
            ],
            Self::Open => vec![
                column(instant("started").with_nullable(false), "when the session began"),
                column(instant("ended"), "when it ends, where it came in paired"),
                column(integer("server_id").with_nullable(false), "the license server"),
                column(integer("feature_id").with_nullable(false), "the feature"),
                column(text("user_name"), "who holds the licenses"),
                column(text("host"), "on which host"),
                column(text("display"), "on which display"),
                column(text("group_data"), "what a license is shared by"),
                column(integer("licenses").with_nullable(false), "how many licenses"),
                column(Field::new("handle", DataType::Utf8, true), "what its checkin will name"),
            ],
            Self::Levels => vec![
                column(integer("feature_id").with_nullable(false), "the feature"),
                column(
                    integer("quarter").with_nullable(false),
                    "the quarter of an hour, from 0 at the first instant of the day",
                ),
                column(Field::new("level", DataType::Int64, false), "how many licenses, more than none"),
                column(
                    Field::new("micros", DataType::Int64, false),
                    "for how long exactly so many were in use within the quarter, in microseconds",
                ),
            ],
            Self::UserDays => vec![
                column(integer("server_id").with_nullable(false), "the license server"),
                column(text("user_name").with_nullable(false), "who"),
                column(
                    Field::new("held", DataType::Boolean, false),
                    "whether the user held a license of it at some instant",
                ),
                column(Field::new("denied", DataType::Boolean, false), "whether it denied the user one"),
            ],
            Self::HostPeaks => vec![
                column(integer("server_id").with_nullable(false), "the license server"),
                column(
                    integer("hosts").with_nullable(false),
                    "the most different hosts that held a license of it at one instant",
                ),
                column(
                    integer("hosts_of_all").with_nullable(false),
                    "the most different hosts that held a license of any server at one instant, the same in every row",
                ),
            ],
        }
    }
}

/// The type of every instant.
#[must_use]
pub fn instant_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// The type of texts that repeat.
#[must_use]
pub fn text_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

const fn column(field: Field, meaning: &'static str) -> TableColumn {
    TableColumn { field, meaning }
}

fn instant(name: &str) -> Field {
    Field::new(name, instant_type(), true)
}

fn text(name: &str) -> Field {
    Field::new(name, text_type(), true)
}

fn integer(name: &str) -> Field {
    Field::new(name, DataType::Int32, true)
}

#[cfg(test)]
mod tests {
    use super::super::{Kind, ReasonClass};
    use super::*;

    #[test]
    fn every_table_is_found_by_its_name_and_keeps_its_place() {
        for (place, table) in Table::ALL.into_iter().enumerate() {
            assert_eq!(Table::from_name(table.name()), Some(table));
            assert_eq!(table as usize, place);
        }
    }

    #[test]
    fn every_kind_of_event_and_class_of_refusal_is_told() {
        let told = |table: Table, name: &str| {
            let columns = table.columns();
            columns.into_iter().find(|column| column.field.name() == name).unwrap().meaning
        };
        let kinds = Kind::ALL.map(|kind| format!("`{}`", kind.name()));
        assert!(kinds.iter().all(|kind| told(Table::Events, "event").contains(kind)), "{kinds:?}");
        let classes = ReasonClass::ALL.map(|class| format!("`{}`", class.name()));
        assert!(
            classes.iter().all(|class| told(Table::Denials, "reason_class").contains(class)),
            "{classes:?}"
        );
    }

    #[test]
    fn no_column_is_a_reserved_word() {
        for table in Table::ALL {
            for field in table.schema().fields() {
                assert!(
                    !["user", "end", "time", "group", "order", "day"].contains(&field.name().as_str()),
                    "{field}"
                );
            }
        }
    }
}
