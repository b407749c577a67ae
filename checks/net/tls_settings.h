// The `tls` block that several kinds have.
#pragma once

#include "probe/base/result.h"
#include "probe/config/block.h"
#include "probe/config/values.h"
#include "probe/io/stream.h"

namespace slosonde::checks {

// The declaration, for a key `tls`.
const config::Block* tls_block();

// From the block's values.
io::TlsSettings tls_settings(const config::Values& tls);

// Whether we can read the files now: an error names the one that cannot be read, and why.
Result<void> check_tls_files(const io::TlsSettings& tls);

}  // namespace slosonde::checks
