//! The addresses of an endpoint below its base path.

use crate::model::PackageId;
use crate::{Error, ErrorKind, Result};

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Route {
    /// `POST {base}/packages`: a sealed package.
    Package,
    /// `POST {base}/notes`: a sealed package of kind `notes`.
    Notes,
    /// `GET {base}/packages/{id}`: the state of a package, as a receipt.
    State(PackageId),
    /// `POST {base}/receipts`: the recipient's later word on a package.
    Receipts,
    /// `POST {base}/trials`: a sealed sample package.
    Trials,
    /// `OPTIONS {base}/packages`, or `{base}/notes`: whether, and within which limits, uploads can be resumed.
    UploadLimits,
    /// `HEAD {base}/packages/{id}/upload`: how much of a package is there.
    UploadOffset(PackageId),
    /// `PATCH {base}/packages/{id}/upload`: the next part of a package.
    UploadPart(PackageId),
    /// `DELETE {base}/packages/{id}/upload`: what is there of a package is not wanted any more.
    UploadEnd(PackageId),
}

impl Route {
    /// The route of this method and path below `base` (such as `/claimwire`, or empty).
    ///
    /// # Errors
    /// [`ErrorKind::BadMessage`] for every other request; [`status_of`](Self::status_of) tells whether the answer
    /// is 404 or 405.
    pub fn parse(method: &str, path: &str, base: &str) -> Result<Self> {
        let here = Self::at(path, base)?;
        here.iter().find(|route| route.method() == method).copied().ok_or_else(|| {
            let wanted: Vec<&str> = here.iter().map(|route| route.method()).collect();
            let wanted = wanted.join(" or ");
            Error::new(
                ErrorKind::BadMessage,
                format!(
                    "`{path}` takes {wanted}, not {method}: this is a claimwire endpoint, not a web page"
                ),
            )
        })
    }

    /// The HTTP status that refuses this request: 405 for a known path with another method, else 404; `None` when
    /// [`parse`](Self::parse) knows it.
    #[must_use]
    pub fn status_of(method: &str, path: &str, base: &str) -> Option<u16> {
        match Self::at(path, base) {
            Err(_) => Some(404),
            Ok(here) if here.iter().any(|route| route.method() == method) => None,
            Ok(_) => Some(405),
        }
    }

    /// All routes of a path.
    fn at(path: &str, base: &str) -> Result<Vec<Self>> {
        let below = path.strip_prefix(base.trim_end_matches('/')).unwrap_or_default();
        Ok(match below {
            "/packages" => vec![Self::Package, Self::UploadLimits],
            "/notes" => vec![Self::Notes, Self::UploadLimits],
            "/receipts" => vec![Self::Receipts],
            "/trials" => vec![Self::Trials],
            _ => {
                let rest = below.strip_prefix("/packages/").ok_or_else(|| unknown(path))?;
                let (id, is_upload) = match rest.strip_suffix("/upload") {
                    Some(id) => (id, true),
                    None => (rest, false),
                };
                let id = id.parse().map_err(|error: Error| unknown(path).caused_by(error))?;
                match is_upload {
                    true => vec![Self::UploadOffset(id), Self::UploadPart(id), Self::UploadEnd(id)],
                    false => vec![Self::State(id)],
                }
            }
        })
    }

    /// The method of this route.
    #[must_use]
    pub fn method(self) -> &'static str {
        match self {
            Self::Package | Self::Notes | Self::Receipts | Self::Trials => "POST",
            Self::State(_) => "GET",
            Self::UploadLimits => "OPTIONS",
            Self::UploadOffset(_) => "HEAD",
            Self::UploadPart(_) => "PATCH",
            Self::UploadEnd(_) => "DELETE",
        }
    }

    /// The whole path of this route below `base`; of the two of `UploadLimits` that of packages.
    #[must_use]
    pub fn path(self, base: &str) -> String {
        let base = base.trim_end_matches('/');
        match self {
            Self::Package | Self::UploadLimits => format!("{base}/packages"),
            Self::Notes => format!("{base}/notes"),
            Self::State(id) => format!("{base}/packages/{id}"),
            Self::Receipts => format!("{base}/receipts"),
            Self::Trials => format!("{base}/trials"),
            Self::UploadOffset(id) | Self::UploadPart(id) | Self::UploadEnd(id) => {
                format!("{base}/packages/{id}/upload")
            }
        }
    }
}

fn unknown(path: &str) -> Error {
    Error::new(ErrorKind::BadMessage, format!("there is nothing at `{}` here", path.escape_debug()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_found_again_under_every_base() {
        let id = PackageId::generate();
        let uploads = [Route::UploadOffset(id), Route::UploadPart(id), Route::UploadEnd(id)];
        let others = [Route::Package, Route::Notes, Route::State(id), Route::Receipts, Route::Trials];
        let routes: Vec<Route> = uploads.into_iter().chain(others).chain([Route::UploadLimits]).collect();
        for base in ["", "/", "/claimwire", "/a/b/"] {
            for &route in &routes {
                let path = route.path(base);
                assert_eq!(Route::parse(route.method(), &path, base).unwrap(), route);
                assert_eq!(Route::status_of(route.method(), &path, base), None);
                assert_eq!(Route::status_of("PUT", &path, base), Some(405));
            }
        }
    }

    #[test]
    fn everything_else_is_unknown() {
        for path in [
            "/",
            "/packages/",
            "/packages/1",
            "/other",
            "/x/packages",
            "/receipts/1",
            "//notes",
            "/packages/1/upload",
        ] {
            assert_eq!(Route::parse("POST", path, "").unwrap_err().kind(), ErrorKind::BadMessage, "{path}");
            assert_eq!(Route::status_of("POST", path, ""), Some(404), "{path}");
        }
        assert_eq!(Route::status_of("POST", "/packages", "/claimwire"), Some(404));
    }
}
