//! `normalize_email(text)`: an e-mail address in its one way of writing.

use std::sync::Arc;

use arrow::array::StringBuilder;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::Result;
use datafusion_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature,
    Volatility,
};
use datafusion_macros::user_doc;

use crate::arguments::Call;
use crate::columns::answer;
use crate::contact::{Texts, check_texts, coerce_texts};
use crate::math::contact::is_email;

const CALL: Call = Call {
    name: "normalize_email",
    usage: "normalize_email(text)",
};

#[user_doc(
    doc_section(label = "Segmentation Functions"),
    description = "An e-mail address in its one way of writing: without blanks around it, in small letters. NULL \
        for NULL and for what cannot be an address (see `is_email`). Dots and `+tags` stay: at most \
        providers these are other people.",
    syntax_example = "normalize_email(text)",
    sql_example = r#"```sql
> SELECT normalize_email(' Ola@Example.com ') AS a, normalize_email('ola@') AS b;
+-----------------+---+
| a               | b |
+-----------------+---+
| ola@example.com |   |
+-----------------+---+
```"#,
    argument(name = "text", description = "The address as it was given."),
    related_udf(name = "is_email"),
    related_udf(name = "hashed_contact")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct NormalizeEmail {
    signature: Signature,
}

impl Default for NormalizeEmail {
    fn default() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for NormalizeEmail {
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
        let mut emails = StringBuilder::new();
        let mut email = String::new();
        for text in texts.values() {
            match text.filter(|text| is_email(text)) {
                None => emails.append_null(),
                Some(text) => {
                    email.clear();
                    email.extend(text.trim().chars().flat_map(char::to_lowercase));
                    emails.append_value(&email);
                }
            }
        }
        answer(&args.args, Arc::new(emails.finish()))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}
