// The one <filestorage> of a storage's section, through whatever wraps it.
#ifndef ZRS_SIDECAR_CONFIG_FILE_STORAGE_H_
#define ZRS_SIDECAR_CONFIG_FILE_STORAGE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sidecar/config/zconfig.h"

namespace zrs::config {

// The path in the single innermost <filestorage> of `storage`, absolute; a relative one is relative to `directory`.
// Sections of other types around it are wrappers (<blobstorage>, <zlibstorage>, ...): their keys are theirs and not
// looked at, but for `blob-dir`, which is an error unless `blobs_external`. <demostorage> is none: its changes go
// elsewhere. InvalidArgument "FILE:LINE: what; remedy" also when there is none or a second one, or a section without
// one.
absl::StatusOr<std::string> ReadFileStoragePath(const Section& storage, const std::string& directory,
                                                bool blobs_external);

// The single <filestorage> that is `whole` or inside it, however deep; null when there is none. InvalidArgument as
// above when there is a second one, a <demostorage> or, unless `blobs_external`, a blob-dir. Whose data it is, and what
// to do where it is not one file, is told in the words of who calls.
struct Owner {
  const Section& storage;        // the section of our own configuration
  absl::string_view second;      // remedy for a second <filestorage>
  absl::string_view kept_apart;  // remedy for a <demostorage>
};
absl::StatusOr<const Section*> FindFileStorage(const Section& whole, const Owner& owner, bool blobs_external);

}  // namespace zrs::config

#endif  // ZRS_SIDECAR_CONFIG_FILE_STORAGE_H_
