//! `is_email(text)`: can it be an e-mail address?

use std::sync::Arc;

use arrow::array::BooleanArray;
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
    name: "is_email",
    usage: "is_email(text)",
};

#[user_doc(
    doc_section(label = "Segmentation Functions"),
    description = "TRUE where a text can be an e-mail address, FALSE where it cannot, NULL for NULL. One @, before it \
        1 to 64 bytes without blanks, quotes and brackets, behind it two or more labels of letters, \
        digits and hyphens with dots between them; 254 bytes at most (RFC 5321). Blanks around it \
        do not matter. Whether somebody reads mail there only a message can tell.",
    syntax_example = "is_email(text)",
    sql_example = r#"```sql
> SELECT is_email('ola@example.com') AS a, is_email('ola at example.com') AS b;
+------+-------+
| a    | b     |
+------+-------+
| true | false |
+------+-------+
```"#,
    argument(name = "text", description = "The address as it was given."),
    related_udf(name = "normalize_email")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct IsEmail {
    signature: Signature,
}

impl Default for IsEmail {
    fn default() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for IsEmail {
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
        Ok(DataType::Boolean)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        check_texts(&CALL, &args, 1)?;
        Ok(Field::new(CALL.name, DataType::Boolean, true).into())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let texts = Texts::of(&args, 0)?;
        let texts = texts.values().iter();
        let found: BooleanArray = texts.map(|text| text.map(is_email)).collect();
        answer(&args.args, Arc::new(found))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}
