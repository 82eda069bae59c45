// The file that a command is given.
#ifndef ZRS_SIDECAR_CLI_DATA_FILE_ARGUMENT_H_
#define ZRS_SIDECAR_CLI_DATA_FILE_ARGUMENT_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "filestorage/file_system.h"

namespace zrs::cli {

// InvalidArgument for what is no regular file, which is not opened: a pipe would wait for its writer, and a directory's
// error comes late and says little. `command` is for the message. Else the file system's errors.
absl::Status CheckIsRegular(filestorage::FileSystem& files, absl::string_view command, const std::string& path);

}  // namespace zrs::cli

#endif  // ZRS_SIDECAR_CLI_DATA_FILE_ARGUMENT_H_
