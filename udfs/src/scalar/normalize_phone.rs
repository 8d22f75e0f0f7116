//! `normalize_phone(text, country)`: a phone number in its one way of writing.

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
use crate::math::contact::e164;

const CALL: Call = Call {
    name: "normalize_phone",
    usage: "normalize_phone(text, country)",
};

#[user_doc(
    doc_section(label = "Segmentation Functions"),
    description = "A phone number as E.164 writes it, `+48501234567`. A number without + or 00 in front belongs to \
        the country, whose calling code takes the place of the 0 (1, 06) that is dialled within it. \
        Blanks, dots, slashes, hyphens and brackets fall. NULL for NULL, for what cannot be a number \
        (other signs, not 7 to 15 digits), and for one that belongs to no known country.",
    syntax_example = "normalize_phone(text, country)",
    sql_example = r#"```sql
> SELECT normalize_phone('07700 900123', 'GB') AS a, normalize_phone('call me', 'GB') AS b;
+---------------+---+
| a             | b |
+---------------+---+
| +447700900123 |   |
+---------------+---+
```"#,
    argument(name = "text", description = "The number as it was given."),
    argument(
        name = "country",
        description = "Where it belongs to unless it says so: two letters of ISO 3166. Known are the countries of Europe, and AU, BR, CA, CN, IN, JP, TR and US."
    ),
    related_udf(name = "hashed_contact")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct NormalizePhone {
    signature: Signature,
}

impl Default for NormalizePhone {
    fn default() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for NormalizePhone {
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
        check_texts(&CALL, &args, 2)?;
        Ok(Field::new(CALL.name, DataType::Utf8, true).into())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let texts = Texts::of(&args, 0)?;
        let countries = Texts::of(&args, 1)?;
        let mut phones = StringBuilder::new();
        let mut phone = String::new();
        for (text, country) in texts.values().iter().zip(countries.values()) {
            match text {
                Some(text) if e164(text, country, &mut phone) => phones.append_value(&phone),
                _ => phones.append_null(),
            }
        }
        answer(&args.args, Arc::new(phones.finish()))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}
