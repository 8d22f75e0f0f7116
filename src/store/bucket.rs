//! Buckets of S3, and of what speaks as it does. Who may use them is read from the
//! environment, by the names that AWS's own tools read.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::{BackoffConfig, ClientConfigKey, ObjectStore, RetryConfig};

use crate::error::{Error, Result};

/// A request that fails for a passing reason is sent again so often.
const MAX_RETRIES: usize = 4;

/// After so long nothing is sent again: a run should not hang.
const RETRY_TIME: Duration = Duration::from_secs(30);

pub(super) fn open(bucket: &str) -> Result<Arc<dyn ObjectStore>> {
    let builder = AmazonS3Builder::from_env().with_bucket_name(bucket);
    refuse_plain_http(&builder)?;
    let retry = RetryConfig {
        max_retries: MAX_RETRIES,
        retry_timeout: RETRY_TIME,
        backoff: BackoffConfig {
            max_backoff: Duration::from_secs(2),
            ..BackoffConfig::default()
        },
    };
    let built = builder.with_retry(retry).build();
    let objects = built.map_err(|error| {
        let error = Error::from(error).context(format!("store 's3://{bucket}'"));
        error.hint("the variables AWS_… of the environment say how it is reached")
    })?;
    Ok(Arc::new(objects))
}

/// What is not encrypted has to be asked for.
fn refuse_plain_http(builder: &AmazonS3Builder) -> Result<()> {
    let given = |key: AmazonS3ConfigKey| builder.get_config_value(&key);
    let endpoint = given(AmazonS3ConfigKey::S3Endpoint).or(given(AmazonS3ConfigKey::Endpoint));
    let allowed = given(AmazonS3ConfigKey::Client(ClientConfigKey::AllowHttp));
    let is_plain = endpoint.is_some_and(|endpoint| endpoint.starts_with("http://"));
    match is_plain && allowed.is_none_or(|allowed| allowed == "false") {
        false => Ok(()),
        true => Err(
            Error::usage("AWS_ENDPOINT_URL begins with http://, which is not encrypted")
                .hint("AWS_ALLOW_HTTP=true allows it"),
        ),
    }
}
