//! `information_schema`: what tables, columns and functions there are. It holds no settings, which name places of the machine.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::information_schema::InformationSchemaProvider;
use datafusion::catalog::{CatalogProviderList, SchemaProvider, TableProvider};
use datafusion::error::Result;

const SETTINGS: &str = "df_settings";

/// The tables about tables.
#[derive(Debug)]
pub(super) struct Information {
    all: InformationSchemaProvider,
    /// Tables that are told otherwise than by the engine, or besides its own.
    others: Vec<(&'static str, Arc<dyn TableProvider>)>,
}

impl Information {
    pub(super) fn new(catalogs: Arc<dyn CatalogProviderList>, others: Vec<(&'static str, Arc<dyn TableProvider>)>) -> Self {
        Self {
            all: InformationSchemaProvider::new(catalogs),
            others,
        }
    }

    fn other(&self, name: &str) -> Option<&Arc<dyn TableProvider>> {
        let other = self.others.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        other.map(|(_, table)| table)
    }
}

#[async_trait]
impl SchemaProvider for Information {
    fn table_names(&self) -> Vec<String> {
        let mut names = self.all.table_names();
        names.retain(|name| name != SETTINGS && self.other(name).is_none());
        names.extend(self.others.iter().map(|(name, _)| (*name).to_owned()));
        names
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        if name.eq_ignore_ascii_case(SETTINGS) {
            return Ok(None);
        }
        if let Some(other) = self.other(name) {
            return Ok(Some(Arc::clone(other)));
        }
        self.all.table(name).await
    }

    fn table_exist(&self, name: &str) -> bool {
        !name.eq_ignore_ascii_case(SETTINGS) && (self.other(name).is_some() || self.all.table_exist(name))
    }
}
