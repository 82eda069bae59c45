#include "sidecar/cli/machine_id.h"

#include "absl/strings/ascii.h"
#include "filestorage/file_system.h"
#include "filestorage/posix_file_system.h"

namespace zrs::cli {

std::string MachineId() {
  auto id = filestorage::ReadWholeFile(filestorage::PosixFileSystem(), "/etc/machine-id", 4096);
  return id.ok() ? std::string(absl::StripAsciiWhitespace(*id)) : "";
}

}  // namespace zrs::cli
