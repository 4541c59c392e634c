//! The names of the made-up site. Vendors and products are inventions.

/// A license server and the trade of those who use it.
#[derive(Debug)]
pub(super) struct Trade {
    /// The license server's name.
    pub(super) server: &'static str,
    /// The vendors of its features.
    pub(super) vendors: [&'static str; 2],
    /// The versions that its features come in; empty where the vendor tells none.
    pub(super) versions: [&'static str; 4],
    /// What users ask for though the server does not have it.
    pub(super) unlicensed: &'static str,
    /// The display that it records.
    pub(super) display: &'static str,
    /// The projects that it records.
    pub(super) projects: &'static [&'static str],
    /// Whether it records handles.
    pub(super) handles: bool,
    features: &'static str,
}

/// The site's license servers.
pub(super) const TRADES: [Trade; 3] = [
    Trade {
        server: "lic-cad",
        vendors: ["arcwright", "formhaus"],
        versions: ["2026.0", "", "2025.1", ""],
        unlicensed: "surface_design_classic",
        display: ":0.0",
        projects: &[],
        handles: false,
        features: "part_design assembly drafting surface_design sheet_metal cam_milling step_translator large_assembly \
            mold_tooling harness_routing piping kinematics tolerance_check weld_design render_studio generative_shape \
            cam_turning cam_wire_edm iges_translator pdm_client reverse_eng composite_layup fastener_lib human_factors \
            plant_layout steel_frame point_cloud additive_prep mesh_repair bom_manager gdt_advisor flat_pattern \
            gear_design sketch_solver",
    },
    Trade {
        server: "lic-eda",
        vendors: ["siligate", "tracewell"],
        versions: ["24.10", "23.4", "", "24.10"],
        unlicensed: "analog_router_beta",
        display: "",
        projects: &["falcon_a0", "falcon_b0", "heron", "osprey_test"],
        handles: true,
        features: "spice_sim hdl_sim schematic_capture logic_synth ic_layout place_route static_timing pcb_layout \
            waveform_view drc_check lvs_check rc_extract mixed_signal formal_verify equiv_check dft_insert atpg \
            power_analysis em_ir_drop signal_integrity rf_sim clock_tree floorplan lint_rtl cdc_check coverage_merge \
            emulation_link fpga_fit cell_char mask_prep litho_sim yield_model package_design thermal_map",
    },
    Trade {
        server: "lic-sim",
        vendors: ["mathforge", "fieldkraft"],
        versions: ["15.2", "", "", "14.0"],
        unlicensed: "quantum_toolbox",
        display: "",
        projects: &[],
        handles: false,
        features: "solver_core statistics optimization fem_linear signal_proc image_proc cfd_solver control_design symbolic \
            curve_fitting fem_nonlinear cfd_mesher explicit_dynamics modal_analysis fatigue multibody acoustics em_field \
            heat_transfer combustion neural_net parallel_server code_generator data_import report_writer compiler_kit \
            wavelet fuzzy_logic system_ident robust_control financial_tools mapping database_link particle_track",
    },
];

/// What the same product is sold as besides.
const EDITIONS: [&str; 3] = ["", "_PRO", "_BATCH"];

/// The names of features, the most popular first, each with the place of its server in [`TRADES`]; 306 of them.
pub(super) fn features() -> impl Iterator<Item = (usize, String)> {
    let products = TRADES.each_ref().map(|trade| words(trade.features));
    let places = (0..EDITIONS.len()).flat_map(|edition| (0..34).map(move |product| (edition, product)));
    places.flat_map(move |(edition, product)| {
        let name = |trade: &Vec<&str>| format!("{}{}", trade[product], EDITIONS[edition]);
        let names = products.each_ref().map(name);
        names.into_iter().enumerate()
    })
}

const FIRST: &str = "anna ben carla david elena felix grace hugo ines jonas karin leon maria nils olga paul quinn rosa simon \
    tara ulrich vera walter xenia yusuf zoe amir bea chen dora emil fatima georg hana ivan julia kenji lena marco nadia oskar \
    priya ravi sofia tom uma victor wanda yara zeno akira bruno clara dario erik flora gustav helga igor jana kofi laura mei noah";

const LAST: &str = "abel bauer castro duval egger fischer garcia huber ito jansen keller lang meyer novak olsen petrov quist \
    rossi schmidt tanaka ulmer vogel weber xu young ziegler adler brandt cohen diaz ernst fuchs gupta hansen ivanov jung kraus \
    lopez moreau nguyen okafor park reyes sato thoma urban varga wolf yilmaz zhang arnold becker clark dietz eriksen frank \
    gomez hahn iyer joshi kim lehmann martin neumann otto peters ramos singh torres unger vidal wagner yang zimmer ahmed \
    berger costa dubois engel ferrari";

/// The names of users, 5,120 of them.
pub(super) fn users() -> impl Iterator<Item = String> {
    let (first, last) = (words(FIRST), words(LAST));
    let count = first.len() * last.len();
    // Round by round, every first name meets the next last name; both lists are in alphabetical order, hence the 27.
    (0..count).map(move |user| {
        let (round, place) = (user / first.len(), user % first.len());
        format!("{}.{}", first[place], last[(round + place * 27) % last.len()])
    })
}

/// The name of a host.
pub(super) fn host(number: u32) -> String {
    match number % 10 {
        9 => format!("rnd-node{number:03}.example.com"),
        3 | 6 => format!("LAPTOP-{number:04}"),
        _ => format!("ws-{number:04}"),
    }
}

fn words(text: &'static str) -> Vec<&'static str> {
    text.split_ascii_whitespace().collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_name_is_its_own() {
        assert_eq!(features().map(|(_server, name)| name).collect::<BTreeSet<_>>().len(), 306);
        assert_eq!(users().collect::<BTreeSet<_>>().len(), 5_120);
        assert_eq!((0..3_000).map(host).collect::<BTreeSet<_>>().len(), 3_000);
    }

    #[test]
    fn every_trade_has_as_many_products() {
        for trade in &TRADES {
            assert_eq!(words(trade.features).len(), 34, "{}", trade.server);
        }
    }
}
