//! Link arguments of a Node addon.

fn main() {
    napi_build::setup();
    // Node unloads an addon with the last worker that uses it; threads of ours may then still be returning.
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
