//! claimwire carries insurance claim files between the case-management systems of insurers and their service
//! providers.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod error;

#[cfg(feature = "exchange")]
mod durable_file;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(feature = "exchange")]
pub mod case_system;
#[cfg(feature = "codec")]
pub mod codec;
#[cfg(feature = "exchange")]
pub mod exchange;
#[cfg(feature = "exchange")]
pub mod ledger;
#[cfg(feature = "exchange")]
pub mod merge;
#[cfg(feature = "exchange")]
pub mod model;
#[cfg(feature = "exchange")]
pub mod package;
#[cfg(feature = "exchange")]
pub mod protocol;
#[cfg(feature = "receiver")]
pub mod receiver;
#[cfg(feature = "exchange")]
pub mod rules;
#[cfg(feature = "exchange")]
pub mod transport;

pub use error::{Error, ErrorKind, Result};
