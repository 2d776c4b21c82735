//! Compiles the screens, their fonts, icons and translations into the binary.

use slint_build::{CompilerConfiguration, DefaultTranslationContext, EmbedResourcesKind};

fn main() {
    let config = CompilerConfiguration::new()
        .with_style("fluent-light".into())
        .embed_resources(EmbedResourcesKind::EmbedFiles)
        .with_bundled_translations("lang")
        .with_default_translation_context(DefaultTranslationContext::None);
    slint_build::compile_with_config("ui/app.slint", config).expect("the screens compile");
    // What is installed lists its relocations in a twentieth of the room, all of which is memory
    // from the start on. Wants glibc 2.36: Debian 12, Ubuntu 24.04.
    if std::env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}
