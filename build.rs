//! Lists the files in `queries/`, so that adding a report is adding a file and nothing else.

use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    println!("cargo:rerun-if-changed=queries");
    for folder in ["reports", "relations"] {
        let mut names = Vec::new();
        for entry in fs::read_dir(Path::new(&root).join("queries").join(folder))? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            names.extend(name.strip_suffix(".sql").map(str::to_owned));
        }
        names.sort_unstable();
        let entries: String = names
            .iter()
            .map(|name| format!("    ({name:?}, include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/queries/{folder}/{name}.sql\"))),\n"))
            .collect();
        fs::write(Path::new(&out).join(format!("{folder}.rs")), format!("&[\n{entries}]\n"))?;
    }
    Ok(())
}
