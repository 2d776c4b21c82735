//! Only the fonts in the binary, whatever the machine has: the same picture everywhere. Slint asks
//! fontconfig for a fallback even so and panics where it finds no font at all (slint issue 12671),
//! so one of ours is put where fontconfig looks.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Once;

/// Lets fontconfig see the bundled fonts only, unless `FONTCONFIG_FILE` is set. Call it before
/// the first window, and before there are other threads; later calls do nothing.
pub fn use_bundled() {
    static DONE: Once = Once::new();
    DONE.call_once(|| {
        if std::env::var_os("FONTCONFIG_FILE").is_some() {
            return;
        }
        match lay_out(&std::env::temp_dir()) {
            Ok(conf) => set_fontconfig_file(&conf),
            Err(error) => tracing::warn!(%error, "the machine's own fonts will be used too"),
        }
    });
}

/// Writes font and configuration below `base`, into a directory that is nobody else's.
fn lay_out(base: &Path) -> io::Result<PathBuf> {
    let owner = rustix::process::getuid().as_raw();
    let dir = base.join(format!("kiosk-ui-fonts-{owner}"));
    match fs::DirBuilder::new().mode(0o700).create(&dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let found = fs::symlink_metadata(&dir)?;
    if !found.is_dir() || found.uid() != owner || found.mode() & 0o022 != 0 {
        let reason = format!("{} belongs to somebody else", dir.display());
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, reason));
    }
    put(&dir, "NotoSans-Regular.ttf", FONT)?;
    let conf = CONF.replace("HERE/", &format!("{}/", dir.display()));
    put(&dir, "fonts.conf", conf.as_bytes())?;
    Ok(dir.join("fonts.conf"))
}

/// Whole or not at all: another kiosk-ui may be starting at the same moment.
fn put(dir: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let path = dir.join(name);
    if fs::metadata(&path).is_ok_and(|found| found.len() == bytes.len() as u64) {
        return Ok(());
    }
    let part = dir.join(format!("{name}.{}", std::process::id()));
    fs::write(&part, bytes)?;
    fs::rename(part, path)
}

#[allow(unsafe_code)]
fn set_fontconfig_file(conf: &Path) {
    // SAFETY: `use_bundled` is called before there are other threads; in tests every thread that
    // opens a window comes through the same `Once` first, and none of them reads the C
    // environment before that.
    unsafe { std::env::set_var("FONTCONFIG_FILE", conf) };
}

const FONT: &[u8] = include_bytes!("../fonts/NotoSans-Regular.ttf");
const CONF: &str = include_str!("../fonts/fonts.conf");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_start_finds_the_fonts_of_the_first() {
        let base = tempfile::tempdir().unwrap();
        let conf = lay_out(base.path()).unwrap();
        assert_eq!(lay_out(base.path()).unwrap(), conf);
        assert_eq!(fs::read_dir(conf.parent().unwrap()).unwrap().count(), 2);
    }

    #[test]
    fn a_directory_open_to_others_is_not_used() {
        use std::os::unix::fs::PermissionsExt;
        let base = tempfile::tempdir().unwrap();
        let dir =
            base.path().join(format!("kiosk-ui-fonts-{}", rustix::process::getuid().as_raw()));
        fs::create_dir(&dir).unwrap();
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o777)).unwrap();
        let refused = lay_out(base.path()).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied);
    }
}
