//! `identifierQuery`: finding the URI of a user by what is known of him (A10).

use mimi_uri::UserUri;

use crate::codec::{Reader, Wire, body, codes, put_list, put_list_with, put_opaque};
use crate::decode_error::DecodeError;
use crate::identifier::put_uri;
use crate::limits::{
    FIELD_NAME_LENGTH_MAX, FIELD_VALUE_LENGTH_MAX, PROFILE_FIELDS_MAX, QUERY_ELEMENTS_MAX, QUERY_RESULTS_MAX,
};
use crate::mls_parts::AppDataDictionary;

codes! {
    /// What a search value is.
    SearchIdentifierType("SearchIdentifierType") {
        /// A whole handle, exactly.
        Handle = 1 "handle",
        /// A nickname or the user part of a handle, exactly.
        Nick = 2 "nick",
        /// An e-mail address, exactly.
        Email = 3 "email",
        /// An international telephone number with its plus sign, exactly.
        Phone = 4 "phone",
        /// A part of a name, in any case.
        PartialName = 5 "partialName",
        /// A part of any searchable field.
        WholeProfile = 6 "wholeProfile",
        /// An `OpenID` Connect claim, exactly.
        OidcStdClaim = 7 "oidcStdClaim",
        /// A vCard property, exactly.
        VcardField = 8 "vcardField",
    }
}

/// What is searched in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SearchField {
    /// A whole handle, exactly.
    Handle,
    /// A nickname or the user part of a handle, exactly.
    Nick,
    /// An e-mail address, exactly.
    Email,
    /// An international telephone number with its plus sign, exactly.
    Phone,
    /// A part of a name, in any case.
    PartialName,
    /// A part of any searchable field.
    WholeProfile,
    /// The `OpenID` Connect claim of this name, exactly.
    OidcStdClaim(String),
    /// The vCard property of this name, exactly.
    VcardField(String),
}

impl SearchField {
    /// The code that says so.
    pub const fn search_type(&self) -> SearchIdentifierType {
        match self {
            Self::Handle => SearchIdentifierType::Handle,
            Self::Nick => SearchIdentifierType::Nick,
            Self::Email => SearchIdentifierType::Email,
            Self::Phone => SearchIdentifierType::Phone,
            Self::PartialName => SearchIdentifierType::PartialName,
            Self::WholeProfile => SearchIdentifierType::WholeProfile,
            Self::OidcStdClaim(_) => SearchIdentifierType::OidcStdClaim,
            Self::VcardField(_) => SearchIdentifierType::VcardField,
        }
    }
}

/// One condition on the user that is sought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryElement {
    /// What is searched in.
    pub field: SearchField,
    /// What is searched for.
    pub search_value: String,
}

impl Wire for QueryElement {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let field = match SearchIdentifierType::read(reader)? {
            SearchIdentifierType::Handle => SearchField::Handle,
            SearchIdentifierType::Nick => SearchField::Nick,
            SearchIdentifierType::Email => SearchField::Email,
            SearchIdentifierType::Phone => SearchField::Phone,
            SearchIdentifierType::PartialName => SearchField::PartialName,
            SearchIdentifierType::WholeProfile => SearchField::WholeProfile,
            SearchIdentifierType::OidcStdClaim => {
                SearchField::OidcStdClaim(reader.text("claimName", FIELD_NAME_LENGTH_MAX)?.to_owned())
            }
            SearchIdentifierType::VcardField => {
                SearchField::VcardField(reader.text("propertyName", FIELD_NAME_LENGTH_MAX)?.to_owned())
            }
        };
        Ok(Self { field, search_value: reader.text("searchValue", FIELD_VALUE_LENGTH_MAX)?.to_owned() })
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.field.search_type().write(out);
        match &self.field {
            SearchField::OidcStdClaim(name) | SearchField::VcardField(name) => {
                put_opaque(out, name.as_bytes());
            }
            SearchField::Handle
            | SearchField::Nick
            | SearchField::Email
            | SearchField::Phone
            | SearchField::PartialName
            | SearchField::WholeProfile => {}
        }
        put_opaque(out, self.search_value.as_bytes());
    }
}

/// A query for users to whom every element applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentifierRequest {
    /// The conditions.
    pub query_elements: Vec<QueryElement>,
    /// What else is said, for extensions that both sides know.
    pub extensions: AppDataDictionary,
}

impl Wire for IdentifierRequest {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            query_elements: reader.list("query_elements", QUERY_ELEMENTS_MAX)?,
            extensions: AppDataDictionary::read(reader)?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        put_list(out, &self.query_elements);
        self.extensions.write(out);
    }
}

codes! {
    /// What a provider says to a query.
    IdentifierQueryCode("IdentifierQueryCode") {
        /// Somebody was found.
        Success = 0 "success",
        /// Nobody was found.
        NotFound = 1 "notFound",
        /// More must match exactly before anyone is told.
        Ambiguous = 2 "ambiguous",
        /// Such queries are not allowed.
        Forbidden = 3 "forbidden",
        /// A field cannot be searched.
        UnsupportedField = 4 "unsupportedField",
    }
}

codes! {
    /// Whose vocabulary a profile field's name is from.
    FieldSource("FieldSource") {
        /// `OpenID` Connect.
        OidcStdClaim = 7 "oidcStdClaim",
        /// vCard.
        VcardField = 8 "vcardField",
    }
}

/// One field of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileField {
    /// Whose vocabulary its name is from.
    pub source: FieldSource,
    /// Its name.
    pub name: String,
    /// Its value; the draft does not say that it is text.
    pub value: Vec<u8>,
}

impl Wire for ProfileField {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            source: FieldSource::read(reader)?,
            name: reader.text("fieldName", FIELD_NAME_LENGTH_MAX)?.to_owned(),
            value: reader.opaque_max("fieldValue", FIELD_VALUE_LENGTH_MAX)?.to_vec(),
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.source.write(out);
        put_opaque(out, self.name.as_bytes());
        put_opaque(out, &self.value);
    }
}

/// What a provider shows of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserProfile {
    /// The user.
    pub stable_uri: UserUri,
    /// What he lets be seen.
    pub fields: Vec<ProfileField>,
}

impl Wire for UserProfile {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { stable_uri: reader.uri("stableUri")?, fields: reader.list("fields", PROFILE_FIELDS_MAX)? })
    }

    fn write(&self, out: &mut Vec<u8>) {
        put_uri(out, &self.stable_uri);
        put_list(out, &self.fields);
    }
}

/// The answer to an [`IdentifierRequest`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentifierResponse {
    /// What became of the query.
    pub code: IdentifierQueryCode,
    /// Everyone found.
    pub uris: Vec<UserUri>,
    /// What is shown of them.
    pub found_profiles: Vec<UserProfile>,
    /// What else is said, for extensions that both sides know.
    pub extensions: AppDataDictionary,
}

impl Wire for IdentifierResponse {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            code: IdentifierQueryCode::read(reader)?,
            uris: reader.list_with("uri", QUERY_RESULTS_MAX, |reader| reader.uri("uri"))?,
            found_profiles: reader.list("foundProfiles", QUERY_RESULTS_MAX)?,
            extensions: AppDataDictionary::read(reader)?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.code.write(out);
        put_list_with(out, &self.uris, |uri, out| put_uri(out, uri));
        put_list(out, &self.found_profiles);
        self.extensions.write(out);
    }
}

body!(IdentifierRequest, IdentifierResponse, ProfileField, QueryElement, UserProfile);
