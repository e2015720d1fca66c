//! The shape every JSON object of the model has: optional members, lists, and a place for unknown members.

/// Defines a value object: a struct of optional members and lists that keeps unknown JSON members.
macro_rules! object {
    (
        $(#[$doc:meta])*
        $name:ident { one { $($(#[$one_doc:meta])* $one:ident: $one_type:ty,)* } many { $($(#[$many_doc:meta])* $many:ident: $many_type:ty,)* } }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        #[non_exhaustive]
        pub struct $name {
            $(
                $(#[$one_doc])*
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub $one: Option<$one_type>,
            )*
            $(
                $(#[$many_doc])*
                #[serde(default, deserialize_with = "crate::model::object::null_is_empty", skip_serializing_if = "Vec::is_empty")]
                pub $many: Vec<$many_type>,
            )*
            /// JSON members that this version does not know, kept for the way back.
            #[serde(flatten)]
            pub other: std::collections::BTreeMap<String, $crate::model::Json>,
        }
    };
}

/// Defines a record: a value object with an exchange id, the members all records share, and custom fields.
macro_rules! record {
    (
        $(#[$doc:meta])*
        $name:ident { one { $($(#[$one_doc:meta])* $one:ident: $one_type:ty,)* } many { $($(#[$many_doc:meta])* $many:ident: $many_type:ty,)* } }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[non_exhaustive]
        pub struct $name {
            /// The exchange id: the originating site and that site's own id.
            pub id: $crate::model::ExchangeId,
            $(
                $(#[$one_doc])*
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub $one: Option<$one_type>,
            )*
            $(
                $(#[$many_doc])*
                #[serde(default, deserialize_with = "crate::model::object::null_is_empty", skip_serializing_if = "Vec::is_empty")]
                pub $many: Vec<$many_type>,
            )*
            /// Ids of this record in other systems.
            #[serde(default, deserialize_with = "crate::model::object::null_is_empty", skip_serializing_if = "Vec::is_empty")]
            pub external_ids: Vec<$crate::model::ExternalId>,
            /// The originating system's own version counter.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub version: Option<u64>,
            /// When the record was made.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub created_at: Option<$crate::model::Timestamp>,
            /// When the record was last changed.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub updated_at: Option<$crate::model::Timestamp>,
            /// Who made the record, as the originating site names people.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub author: Option<String>,
            /// Fields two partners agreed on beyond the standard ones.
            #[serde(default, deserialize_with = "crate::model::object::null_is_empty", skip_serializing_if = "std::collections::BTreeMap::is_empty")]
            pub custom_fields: std::collections::BTreeMap<String, $crate::model::Json>,
            /// JSON members that this version does not know, kept for the way back.
            #[serde(flatten)]
            pub other: std::collections::BTreeMap<String, $crate::model::Json>,
        }

        impl $name {
            /// The names of the standard fields, as settings list them and JSON spells them.
            pub const FIELDS: &[&str] = &[
                $($crate::model::object::member_name(stringify!($one)),)*
                $($crate::model::object::member_name(stringify!($many)),)*
                "external_ids", "version", "created_at", "updated_at", "author",
            ];

            /// An empty record with this id.
            #[must_use]
            pub fn new(id: $crate::model::ExchangeId) -> Self {
                Self {
                    id,
                    $($one: None,)*
                    $($many: Vec::new(),)*
                    external_ids: Vec::new(),
                    version: None,
                    created_at: None,
                    updated_at: None,
                    author: None,
                    custom_fields: Default::default(),
                    other: Default::default(),
                }
            }
        }
    };
}

pub(super) use {object, record};

/// The JSON member of a Rust member: `type` is a keyword and written `r#type` in Rust.
pub(super) const fn member_name(rust: &'static str) -> &'static str {
    match rust.as_bytes() {
        [b'r', b'#', ..] => rust.split_at(2).1,
        _ => rust,
    }
}

/// Reads `null` as an empty collection: a sender writes `null` for a chosen field that has no value.
pub(super) fn null_is_empty<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + serde::Deserialize<'de>,
{
    Ok(<Option<T> as serde::Deserialize>::deserialize(deserializer)?.unwrap_or_default())
}
