//! Gives the shared library its name for the dynamic linker, which changes with the binary interface.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let major = env!("CARGO_PKG_VERSION_MAJOR");
    let name = match std::env::var("CARGO_CFG_TARGET_OS").as_deref() {
        Ok("linux" | "android" | "freebsd" | "netbsd" | "openbsd") => {
            format!("-Wl,-soname,liblightning_db.so.{major}")
        }
        Ok("macos") => format!("-Wl,-install_name,@rpath/liblightning_db.{major}.dylib"),
        _ => return,
    };
    println!("cargo::rustc-cdylib-link-arg={name}");
}
