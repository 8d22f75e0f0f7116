//! `hashed_contact(text)`: an address or number as ad platforms want it.

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::StringBuilder;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::Result;
use datafusion_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature,
    Volatility,
};
use datafusion_macros::user_doc;
use sha2::{Digest, Sha256};

use crate::arguments::Call;
use crate::columns::answer;
use crate::contact::{Texts, check_texts, coerce_texts};

const CALL: Call = Call {
    name: "hashed_contact",
    usage: "hashed_contact(text)",
};

#[user_doc(
    doc_section(label = "Segmentation Functions"),
    description = "SHA-256 of a text without blanks around it and in small letters, as 64 hexadecimal digits: the \
        form in which ad platforms take e-mail addresses and phone numbers. NULL for NULL and for an \
        empty text. Normalise first: `hashed_contact(normalize_email(email))`.",
    syntax_example = "hashed_contact(text)",
    sql_example = r#"```sql
> SELECT hashed_contact(' Ola@Example.com ') = hashed_contact('ola@example.com') AS same;
+------+
| same |
+------+
| true |
+------+
```"#,
    argument(name = "text", description = "An address or number."),
    related_udf(name = "normalize_email"),
    related_udf(name = "normalize_phone")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct HashedContact {
    signature: Signature,
}

impl Default for HashedContact {
    fn default() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for HashedContact {
    fn name(&self) -> &str {
        CALL.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(coerce_texts(types))
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        check_texts(&CALL, &args, 1)?;
        Ok(Field::new(CALL.name, DataType::Utf8, true).into())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let texts = Texts::of(&args, 0)?;
        let mut hashes = StringBuilder::new();
        let mut small = String::new();
        for text in texts.values() {
            let text = text.map(str::trim).filter(|text| !text.is_empty());
            let Some(text) = text else {
                hashes.append_null();
                continue;
            };
            small.clear();
            small.extend(text.chars().flat_map(char::to_lowercase));
            let digest = Sha256::digest(&small);
            small.clear();
            for byte in digest {
                let _ = write!(small, "{byte:02x}");
            }
            hashes.append_value(&small);
        }
        answer(&args.args, Arc::new(hashes.finish()))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}
