// The data file of a storage as the database's own configuration (a zeo.conf) names it.
#ifndef ZRS_SIDECAR_CONFIG_DATABASE_FILE_H_
#define ZRS_SIDECAR_CONFIG_DATABASE_FILE_H_

#include <string>

#include "absl/status/statusor.h"
#include "sidecar/config/location.h"
#include "sidecar/config/zconfig.h"

namespace zrs::config {

struct DatabaseFile {
  std::string path;   // absolute
  Location location;  // of its line
};

// The path in the single <filestorage> of the storage `name` (lower case) in `root`, which comes from
// ParseZConfigTolerantly: a section at its top, a <filestorage> or whatever wraps one. As in a ZEO server, a storage
// without a name is "1". All other sections and keys are skipped, but for `blob-dir` in that storage, which is an error
// unless `blobs_external`; `section` is ours that asks, for messages. InvalidArgument "FILE:LINE: what; remedy".
absl::StatusOr<DatabaseFile> FindDatabaseFile(const Section& root, const std::string& name, const Section& section,
                                              bool blobs_external);

}  // namespace zrs::config

#endif  // ZRS_SIDECAR_CONFIG_DATABASE_FILE_H_
