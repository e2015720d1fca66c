//! What is installed: the libraries under the names the platform asks for, and what build tools find them by.

use crate::building::Built;
use crate::{Outcome, place};
use std::path::Path;

/// What the linker is told, so that hosts find the library by its interface's version.
pub(crate) fn shared_name_arguments(interface: &str) -> Vec<String> {
    let argument = if cfg!(target_os = "macos") {
        format!("-Wl,-install_name,@rpath/libclaimwire.{interface}.dylib")
    } else if cfg!(windows) {
        return Vec::new();
    } else {
        format!("-Wl,-soname,libclaimwire.so.{interface}")
    };
    vec!["-C".into(), format!("link-arg={argument}")]
}

pub(crate) fn install_libraries(
    built: &Built,
    library: &Path,
    version: &str,
    interface: &str,
) -> Outcome<()> {
    let copy = |name: &str, to: &str| place::copy(built.file(name)?, &library.join(to));
    if cfg!(windows) {
        return ["claimwire.dll", "claimwire.dll.lib", "claimwire.lib"]
            .iter()
            .try_for_each(|name| copy(name, name));
    }
    copy("libclaimwire.a", "libclaimwire.a")?;
    let (plain, full, short) = if cfg!(target_os = "macos") {
        let of = |version: &str| format!("libclaimwire.{version}.dylib");
        ("libclaimwire.dylib", of(version), of(interface))
    } else {
        let of = |version: &str| format!("libclaimwire.so.{version}");
        ("libclaimwire.so", of(version), of(interface))
    };
    copy(plain, &full)?;
    place::link(&full, &library.join(&short))?;
    place::link(&short, &library.join(plain))
}

pub(crate) fn pkg_config(prefix: &Path, version: &str, static_libraries: &str) -> String {
    format!(
        "prefix={}
libdir=${{prefix}}/lib
includedir=${{prefix}}/include

Name: claimwire
Description: Carries insurance claim files between case-management systems
Version: {version}
Libs: -L${{libdir}} -lclaimwire
Libs.private: {static_libraries}
Cflags: -I${{includedir}}
",
        prefix.display()
    )
}

pub(crate) fn cmake(version: &str, static_libraries: &str) -> [(&'static str, String); 2] {
    let shared = if cfg!(windows) {
        "claimwire.dll"
    } else if cfg!(target_os = "macos") {
        "libclaimwire.dylib"
    } else {
        "libclaimwire.so"
    };
    let archive = if cfg!(windows) { "claimwire.lib" } else { "libclaimwire.a" };
    let import = if cfg!(windows) {
        "\n    IMPORTED_IMPLIB \"${_claimwire_prefix}/lib/claimwire.dll.lib\""
    } else {
        ""
    };
    let config = format!(
        "# Gives the targets claimwire::claimwire (shared) and claimwire::claimwire-static.
get_filename_component(_claimwire_prefix \"${{CMAKE_CURRENT_LIST_DIR}}/../../..\" ABSOLUTE)
if(NOT TARGET claimwire::claimwire)
  add_library(claimwire::claimwire SHARED IMPORTED)
  set_target_properties(claimwire::claimwire PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES \"${{_claimwire_prefix}}/include\"{import}
    IMPORTED_LOCATION \"${{_claimwire_prefix}}/lib/{shared}\")
  add_library(claimwire::claimwire-static STATIC IMPORTED)
  set_target_properties(claimwire::claimwire-static PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES \"${{_claimwire_prefix}}/include\"
    INTERFACE_LINK_LIBRARIES \"{}\"
    IMPORTED_LOCATION \"${{_claimwire_prefix}}/lib/{archive}\")
endif()
unset(_claimwire_prefix)
",
        static_libraries.split_whitespace().collect::<Vec<_>>().join(";")
    );
    // Later versions fit as long as the interface is the same, and another interface has another file name.
    let check = format!(
        "set(PACKAGE_VERSION \"{version}\")
if(PACKAGE_FIND_VERSION VERSION_GREATER PACKAGE_VERSION)
  set(PACKAGE_VERSION_COMPATIBLE FALSE)
else()
  set(PACKAGE_VERSION_COMPATIBLE TRUE)
  if(PACKAGE_FIND_VERSION VERSION_EQUAL PACKAGE_VERSION)
    set(PACKAGE_VERSION_EXACT TRUE)
  endif()
endif()
"
    );
    [("claimwire-config.cmake", config), ("claimwire-config-version.cmake", check)]
}
