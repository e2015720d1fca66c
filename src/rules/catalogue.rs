//! The claim, assessment and bill types a case system knows.

use super::names::NameSet;
use crate::model::RecordKind;
use serde::{Deserialize, Serialize};

/// The types known here; a level without a list knows every type.
///
/// Names are compared without regard to case and outer spaces.
///
/// ```
/// use claimwire::rules::Catalogue;
///
/// let catalogue = Catalogue::new().assessment_types(["IME", "Paper Review"]);
/// assert!(catalogue.knows_assessment_type("ime"));
/// assert!(!catalogue.knows_assessment_type("FAE"));
/// assert!(catalogue.knows_bill_type("anything"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Catalogue {
    claim_types: Option<NameSet>,
    assessment_types: Option<NameSet>,
    bill_types: Option<NameSet>,
}

macro_rules! levels {
    ($($field:ident, $knows:ident, $what:literal;)*) => {
        impl Catalogue {
            $(
                #[doc = concat!("Adds known ", $what, " types; those not named are unknown from now on.")]
                #[must_use]
                pub fn $field(mut self, types: impl IntoIterator<Item = impl Into<String>>) -> Self {
                    self.$field.get_or_insert_default().add(types);
                    self
                }

                #[doc = concat!("Whether this ", $what, " type is known.")]
                #[must_use]
                pub fn $knows(&self, name: &str) -> bool {
                    self.$field.as_ref().is_none_or(|known| known.contains(name))
                }
            )*
        }
    };
}

levels! {
    claim_types, knows_claim_type, "claim";
    assessment_types, knows_assessment_type, "assessment";
    bill_types, knows_bill_type, "bill";
}

impl Catalogue {
    /// The types of a level that has a list.
    pub(crate) fn types(&self, kind: RecordKind) -> Vec<&str> {
        let list = match kind {
            RecordKind::Claim => &self.claim_types,
            RecordKind::Assessment => &self.assessment_types,
            RecordKind::Bill => &self.bill_types,
            _ => &None,
        };
        list.iter().flat_map(NameSet::iter).collect()
    }

    /// A catalogue that knows every type.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_level_lists_its_own_types_and_one_without_a_list_none() {
        let catalogue = Catalogue::new().claim_types(["auto"]).assessment_types(["ime"]).bill_types(["fee"]);
        assert_eq!(catalogue.types(RecordKind::Claim), ["auto"]);
        assert_eq!(catalogue.types(RecordKind::Assessment), ["ime"]);
        assert_eq!(catalogue.types(RecordKind::Bill), ["fee"]);
        assert!(catalogue.types(RecordKind::Note).is_empty());
        assert!(Catalogue::new().types(RecordKind::Claim).is_empty());
    }
}
