//! Catalogs of older formats, and the secret.

use super::*;
use crate::access::Access;

/// A catalog as the first version of the program made it, with a token and three imports.
fn of_format_1(root: &Path) {
    let connection = Connection::open(root.join(FILE)).unwrap();
    connection.execute_batch(include_str!("../schema.sql")).unwrap();
    connection
        .execute_batch(
            "INSERT INTO meta VALUES ('zone', 'Europe/Berlin'), ('generation', '7');
             INSERT INTO servers VALUES (1, 'flex01', '', '');
             INSERT INTO tokens (name, hash, created) VALUES ('ci', zeroblob(32), 5);
             INSERT INTO imports (source, at, undated, unparsed, summary) VALUES
                 ('a.log', 1, 0, 3, '{\"first\":\"2026-03-02T07:00:05Z\"}'),
                 ('a.log', 2, 0, 4, '{\"first\":\"2026-03-02T07:00:05Z\"}'),
                 ('a.log', 3, 1, 0, '{\"first\":\"2026-03-03T07:00:05Z\"}');",
        )
        .unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
}

#[test]
fn a_catalog_of_format_1_is_migrated() {
    let folder = tempfile::TempDir::new().unwrap();
    of_format_1(folder.path());
    let mut catalog = Catalog::open(folder.path()).unwrap();
    let reading = catalog.read().unwrap();
    assert_eq!(
        (reading.zone().unwrap().name(), reading.generation().unwrap()),
        ("Europe/Berlin", 7)
    );
    let grants = reading.grants().unwrap();
    assert_eq!((grants.len(), &*grants[0].name, grants[0].created), (1, "ci", 5));
    assert_eq!(grants[0].access, Access::everything(), "it may what it could");
    let losses = reading.losses().unwrap();
    let told: Vec<_> = losses
        .iter()
        .map(|lost| (lost.servers.len(), lost.undated, lost.unparsed))
        .collect();
    assert_eq!(told, [(0, 1, 4)], "of a file that was imported twice, the last word");
    let secret = reading.secret().unwrap();
    drop(reading);
    let again = Catalog::open(folder.path()).unwrap().read().unwrap().secret().unwrap();
    assert_eq!(again, secret, "made once");
    let format: i64 = catalog
        .connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap();
    assert_eq!(format, MIGRATIONS.len() as i64);
}

#[test]
fn a_new_store_has_a_secret_of_its_own() {
    let secret = || {
        let folder = tempfile::TempDir::new().unwrap();
        let mut catalog = Catalog::create(folder.path(), Zone::UTC).unwrap();
        catalog.read().unwrap().secret().unwrap()
    };
    assert_ne!(secret(), secret());
}
