//! The five addresses of an endpoint below its base path.

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
}

impl Route {
    /// The route of this method and path below `base` (such as `/claimwire`, or empty).
    ///
    /// # Errors
    /// [`ErrorKind::BadMessage`] for every other request; [`status_of`](Self::status_of) tells whether the answer
    /// is 404 or 405.
    pub fn parse(method: &str, path: &str, base: &str) -> Result<Self> {
        let below = path.strip_prefix(base.trim_end_matches('/')).unwrap_or_default();
        let (route, wanted) = match below {
            "/packages" => (Self::Package, "POST"),
            "/notes" => (Self::Notes, "POST"),
            "/receipts" => (Self::Receipts, "POST"),
            "/trials" => (Self::Trials, "POST"),
            _ => match below.strip_prefix("/packages/").map(str::parse) {
                Some(Ok(id)) => (Self::State(id), "GET"),
                Some(Err(error)) => return Err(unknown(path).caused_by(error)),
                None => return Err(unknown(path)),
            },
        };
        if method != wanted {
            return Err(Error::new(
                ErrorKind::BadMessage,
                format!(
                    "`{path}` takes {wanted}, not {method}: this is a claimwire endpoint, not a web page"
                ),
            ));
        }
        Ok(route)
    }

    /// The HTTP status that refuses this request: 405 for a known path with another method, else 404; `None` when
    /// [`parse`](Self::parse) knows it.
    #[must_use]
    pub fn status_of(method: &str, path: &str, base: &str) -> Option<u16> {
        let known = |method| Self::parse(method, path, base).is_ok();
        match (known(method), known("POST") || known("GET")) {
            (true, _) => None,
            (false, true) => Some(405),
            (false, false) => Some(404),
        }
    }

    /// The method of this route.
    #[must_use]
    pub fn method(self) -> &'static str {
        match self {
            Self::Package | Self::Notes | Self::Receipts | Self::Trials => "POST",
            Self::State(_) => "GET",
        }
    }

    /// The whole path of this route below `base`.
    #[must_use]
    pub fn path(self, base: &str) -> String {
        let base = base.trim_end_matches('/');
        match self {
            Self::Package => format!("{base}/packages"),
            Self::Notes => format!("{base}/notes"),
            Self::State(id) => format!("{base}/packages/{id}"),
            Self::Receipts => format!("{base}/receipts"),
            Self::Trials => format!("{base}/trials"),
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
        let state = Route::State(PackageId::generate());
        let routes = [Route::Package, Route::Notes, state, Route::Receipts, Route::Trials];
        for base in ["", "/", "/claimwire", "/a/b/"] {
            for route in routes {
                let path = route.path(base);
                assert_eq!(Route::parse(route.method(), &path, base).unwrap(), route);
                assert_eq!(Route::status_of(route.method(), &path, base), None);
                assert_eq!(Route::status_of("PUT", &path, base), Some(405));
            }
        }
    }

    #[test]
    fn everything_else_is_unknown() {
        for path in ["/", "/packages/", "/packages/1", "/other", "/x/packages", "/receipts/1", "//notes"] {
            assert_eq!(Route::parse("POST", path, "").unwrap_err().kind(), ErrorKind::BadMessage, "{path}");
            assert_eq!(Route::status_of("POST", path, ""), Some(404), "{path}");
        }
        assert_eq!(Route::status_of("POST", "/packages", "/claimwire"), Some(404));
    }
}
