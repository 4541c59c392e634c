//! Objects of the catalog in one order, so that each has the same number in every process.
//!
//! Tools ask for the number of a table with one query and for its columns with the next, and each query may run in another process.
//! The invariant: numbers are given in the order of names, at once, before anybody asks.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{CatalogProviderList, SchemaProvider};
use datafusion::datasource::TableType;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion_pg_catalog::pg_catalog::catalog_info::CatalogInfo;
use datafusion_pg_catalog::pg_catalog::context::EmptyContextProvider;
use datafusion_pg_catalog::pg_catalog::{PgCatalogSchemaProvider, PgCatalogStaticTables, PgCatalogTable};
use futures::TryStreamExt as _;

/// The library's tables, with their objects in order and numbered.
pub(super) fn tables(catalogs: Arc<dyn CatalogProviderList>, constant: Arc<PgCatalogStaticTables>) -> Result<Arc<dyn SchemaProvider>> {
    let tables = PgCatalogSchemaProvider::try_new(InOrder(catalogs), constant, EmptyContextProvider)?;
    // This one goes over catalogs, schemas and tables alike.
    if let Some(PgCatalogTable::Dynamic(classes)) = tables.build_table_by_name("pg_class")? {
        let rows = classes.execute(Arc::new(TaskContext::default()));
        let _numbered: Vec<_> = futures::executor::block_on(rows.try_collect())?;
    }
    Ok(Arc::new(tables))
}

/// What there is, in the order of names.
#[derive(Debug, Clone)]
struct InOrder(Arc<dyn CatalogProviderList>);

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort_unstable();
    names
}

#[async_trait]
impl CatalogInfo for InOrder {
    async fn catalog_names(&self) -> Result<Vec<String>> {
        CatalogInfo::catalog_names(&self.0).await.map(sorted)
    }

    async fn schema_names(&self, catalog: &str) -> Result<Option<Vec<String>>> {
        CatalogInfo::schema_names(&self.0, catalog).await.map(|names| names.map(sorted))
    }

    async fn table_names(&self, catalog: &str, schema: &str) -> Result<Option<Vec<String>>> {
        CatalogInfo::table_names(&self.0, catalog, schema)
            .await
            .map(|names| names.map(sorted))
    }

    async fn table_schema(&self, catalog: &str, schema: &str, table: &str) -> Result<Option<SchemaRef>, DataFusionError> {
        CatalogInfo::table_schema(&self.0, catalog, schema, table).await
    }

    async fn table_type(&self, catalog: &str, schema: &str, table: &str) -> Result<Option<TableType>, DataFusionError> {
        CatalogInfo::table_type(&self.0, catalog, schema, table).await
    }
}
