//! `pg_catalog`, with what the library's own tables lack: columns, functions as numbers, and the functions of this project.
//!
//! ```text
//!   the library's table ─▶ its columns, those that PostgreSQL keeps as numbers of functions looked up ─▶ columns that were missing
//! ```
//!
//! The invariant: every table has the columns that psql and drivers ask for, and none of them says anything of a store beyond what
//! its tables and columns are called. Nothing here depends on who asks.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray as _, Int32Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::view::ViewTable;
use datafusion::catalog::{CatalogProviderList, SchemaProvider, TableProvider};
use datafusion::common::ScalarValue;
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, Expr, LogicalPlan, LogicalPlanBuilder, ScalarUDF, Volatility, col, create_udf, ident, lit};
use datafusion_pg_catalog::pg_catalog::PgCatalogStaticTables;

use super::order;
use crate::functions::FUNCTIONS;

/// The number of the first function of this project; PostgreSQL's own are below.
pub(super) const FIRST_FUNCTION: i32 = 90_000;

/// Columns that hold the name of a function where PostgreSQL keeps its number.
const OF_FUNCTIONS: &[&str] = &[
    "typinput",
    "typoutput",
    "typreceive",
    "typsend",
    "typmodin",
    "typmodout",
    "typanalyze",
    "typsubscript",
    "aggfnoid",
    "rngcanonical",
    "rngsubdiff",
];

/// What a missing column holds.
#[derive(Debug, Clone, Copy)]
enum Lack {
    Number,
    Text,
    Texts,
    Truth(bool),
}

/// Columns that tools ask for and the library's tables do not have.
const LACKING: &[(&str, &[(&str, Lack)])] = &[
    (
        "pg_class",
        &[
            ("reloptions", Lack::Texts),
            ("relacl", Lack::Texts),
            ("relhasoids", Lack::Truth(false)),
        ],
    ),
    (
        "pg_attribute",
        &[
            ("attacl", Lack::Texts),
            ("attcompression", Lack::Text),
            ("attstattarget", Lack::Number),
            ("attoptions", Lack::Texts),
            ("attfdwoptions", Lack::Texts),
            ("attmissingval", Lack::Texts),
        ],
    ),
    ("pg_settings", &[("boot_val", Lack::Text)]),
    ("pg_collation", &[("colliculocale", Lack::Text)]),
    (
        "pg_database",
        &[
            ("datacl", Lack::Texts),
            ("datlocale", Lack::Text),
            ("datcollversion", Lack::Text),
            ("dathasloginevt", Lack::Truth(false)),
        ],
    ),
];

/// Tables whose rows are asked for the table that they are of.
const WITH_TABLE: &[&str] = &[
    "pg_cast",
    "pg_class",
    "pg_constraint",
    "pg_conversion",
    "pg_database",
    "pg_language",
    "pg_namespace",
    "pg_opclass",
    "pg_operator",
    "pg_opfamily",
    "pg_proc",
    "pg_rewrite",
    "pg_tablespace",
    "pg_trigger",
    "pg_type",
];

/// Columns that are texts here and lists in PostgreSQL: no object has any.
const LISTS: &[&str] = &[
    "proacl",
    "nspacl",
    "datacl",
    "lanacl",
    "typacl",
    "spcacl",
    "defaclacl",
    "setconfig",
    "spcoptions",
    "proconfig",
    "rolconfig",
    "evttags",
    "extconfig",
    "attacl",
    "fdwacl",
    "srvacl",
    "relacl",
];

/// Columns that nobody needs to know.
const HIDDEN: &[&str] = &["rolpassword"];

/// `pg_catalog`.
#[derive(Debug)]
pub(super) struct Catalog {
    tables: Arc<dyn SchemaProvider>,
    functions: ScalarUDF,
}

impl Catalog {
    pub(super) fn new(catalogs: Arc<dyn CatalogProviderList>) -> Result<Self> {
        let constant = Arc::new(PgCatalogStaticTables::try_new()?);
        Ok(Self {
            functions: number_of_function(numbers(&constant)?),
            tables: order::tables(catalogs, constant)?,
        })
    }

    async fn plain(&self, name: &str) -> Result<Option<LogicalPlanBuilder>> {
        let Some(table) = self.tables.table(name).await? else {
            return Ok(None);
        };
        LogicalPlanBuilder::scan(name, provider_as_source(table), None).map(Some)
    }

    /// The functions of this project, with the columns of `pg_proc`.
    async fn own_functions(&self, columns: &SchemaRef) -> Result<Option<LogicalPlan>> {
        let Some(namespaces) = self.plain("pg_namespace").await? else {
            return Ok(None);
        };
        let public = namespaces
            .filter(col("nspname").eq(lit(super::super::SCHEMA)))?
            .project(vec![col("pg_namespace.oid").alias("own_namespace")])?;
        let rows = own_rows(columns)?;
        let own = MemTable::try_new(rows.schema(), vec![vec![rows]])?;
        let own = LogicalPlanBuilder::scan("own", provider_as_source(Arc::new(own)), None)?.cross_join(public.build()?)?;
        let told = columns.fields().iter().map(|field| {
            let column = if field.name() == "pronamespace" {
                "own_namespace"
            } else {
                field.name()
            };
            ident(column).alias(field.name())
        });
        own.project(told.collect::<Vec<_>>())?.build().map(Some)
    }

    fn column(&self, field: &Field) -> Result<Expr> {
        let name = field.name();
        let is_text = matches!(field.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
        Ok(if HIDDEN.contains(&name.as_str()) {
            lit(ScalarValue::try_from(field.data_type())?).alias(name)
        } else if is_text && OF_FUNCTIONS.contains(&name.as_str()) {
            self.functions.call(vec![ident(name)]).alias(name)
        } else if is_text && LISTS.contains(&name.as_str()) {
            lit(Lack::Texts.value()).alias(name)
        } else {
            ident(name)
        })
    }
}

#[async_trait]
impl SchemaProvider for Catalog {
    fn table_names(&self) -> Vec<String> {
        self.tables.table_names()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let name = name.to_ascii_lowercase();
        let Some(mut plan) = self.plain(&name).await? else {
            return Ok(None);
        };
        let schema: SchemaRef = Arc::new(plan.schema().as_arrow().clone());
        if name == "pg_proc"
            && let Some(own) = self.own_functions(&schema).await?
        {
            plan = plan.union(own)?;
        }
        let mut columns = schema.fields().iter().map(|field| self.column(field)).collect::<Result<Vec<_>>>()?;
        let lacking = LACKING.iter().filter(|(table, _)| *table == name).flat_map(|(_, lacking)| *lacking);
        let table = WITH_TABLE.contains(&name.as_str()).then_some(&("tableoid", Lack::Number));
        for (column, lack) in lacking.chain(table) {
            if schema.field_with_name(column).is_err() {
                columns.push(lit(lack.value()).alias(*column));
            }
        }
        let plan = plan.project(columns)?.build()?;
        Ok(Some(Arc::new(ViewTable::new(plan, None))))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.tables.table_exist(name)
    }
}

impl Lack {
    fn value(self) -> ScalarValue {
        match self {
            Self::Number => ScalarValue::Int32(Some(0)),
            Self::Text => ScalarValue::Utf8(None),
            Self::Texts => ScalarValue::new_null_list(DataType::Utf8, true, 1),
            Self::Truth(value) => ScalarValue::Boolean(Some(value)),
        }
    }
}

/// The numbers of PostgreSQL's functions, by their names; the first where there are several.
fn numbers(tables: &PgCatalogStaticTables) -> Result<HashMap<String, i32>> {
    let mut numbers = HashMap::new();
    for batch in tables.pg_proc.data() {
        let (Some(oids), Some(names)) = (batch.column_by_name("oid"), batch.column_by_name("proname")) else {
            continue;
        };
        let (oids, names) = (cast(oids, &DataType::Int32)?, cast(names, &DataType::Utf8)?);
        let oids = oids.as_primitive::<Int32Type>();
        for (name, oid) in names.as_string::<i32>().iter().zip(oids) {
            if let (Some(name), Some(oid)) = (name, oid) {
                let known = numbers.entry(name.to_owned()).or_insert(oid);
                *known = oid.min(*known);
            }
        }
    }
    Ok(numbers)
}

/// The number of a function of a name; 0 where there is none, as `-` says.
fn number_of_function(numbers: HashMap<String, i32>) -> ScalarUDF {
    let function = move |arguments: &[ColumnarValue]| {
        let arrays = ColumnarValue::values_to_arrays(arguments)?;
        let names = cast(&arrays[0], &DataType::Utf8)?;
        let number = |name: Option<&str>| name.map(|name| numbers.get(name).copied().unwrap_or(0));
        let found: Int32Array = names.as_string::<i32>().iter().map(number).collect();
        Ok(ColumnarValue::Array(Arc::new(found)))
    };
    create_udf(
        "number_of_function",
        vec![DataType::Utf8],
        DataType::Int32,
        Volatility::Immutable,
        Arc::new(function),
    )
}

/// The functions of this project as rows of `pg_proc`: their numbers and names, and nothing else that would be told of them.
fn own_rows(columns: &SchemaRef) -> Result<RecordBatch> {
    let names: Vec<String> = FUNCTIONS.iter().map(|function| function.name()).collect();
    let count = names.len();
    let column = |field: &Arc<Field>| -> Result<ArrayRef> {
        let text = |text: &str| -> ArrayRef { Arc::new(StringArray::from_iter_values(std::iter::repeat_n(text, count))) };
        let values: ArrayRef = match field.name().as_str() {
            "oid" => Arc::new(Int32Array::from_iter_values((FIRST_FUNCTION..).take(count))),
            "proname" => Arc::new(StringArray::from_iter_values(&names)),
            "prokind" => text("f"),
            "provolatile" => text("i"),
            "proparallel" => text("s"),
            _ if field.is_nullable() => arrow::array::new_null_array(field.data_type(), count),
            _ => match field.data_type() {
                DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => text(""),
                kind => ScalarValue::new_zero(kind)
                    .or_else(|_error| ScalarValue::try_from(&DataType::Boolean))?
                    .to_array_of_size(count)?,
            },
        };
        if values.null_count() == count && !field.is_nullable() {
            return ScalarValue::Boolean(Some(false)).to_array_of_size(count);
        }
        Ok(cast(&values, field.data_type())?)
    };
    let arrays = columns.fields().iter().map(column).collect::<Result<Vec<_>>>()?;
    let fields: Vec<Field> = columns.fields().iter().map(|field| field.as_ref().clone()).collect();
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)
}
