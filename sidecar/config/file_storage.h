// The one <filestorage> of a storage's section, through whatever wraps it.
#ifndef ZRS_SIDECAR_CONFIG_FILE_STORAGE_H_
#define ZRS_SIDECAR_CONFIG_FILE_STORAGE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sidecar/config/zconfig.h"

namespace zrs::config {

// The path in the single innermost <filestorage> of `storage`, absolute; a relative one is relative to `directory`.
// Sections of other types around it are wrappers (<blobstorage>, <zlibstorage>, ...): their keys are theirs and not
// looked at, but for `blob-dir`, which is an error unless `blobs_external`. InvalidArgument "FILE:LINE: what; remedy"
// also when there is none or a second one, or a section without one.
absl::StatusOr<std::string> ReadFileStoragePath(const Section& storage, const std::string& directory,
                                                bool blobs_external);

// InvalidArgument as above where `section`, a part of `storage`'s data, names a blob-dir, unless `blobs_external`.
absl::Status CheckBlobDirectory(const Section& section, const Section& storage, bool blobs_external);

}  // namespace zrs::config

#endif  // ZRS_SIDECAR_CONFIG_FILE_STORAGE_H_
