#include "sidecar/cli/output.h"

#include <cerrno>

#include "absl/strings/str_cat.h"

namespace zrs::cli {

bool Print(std::FILE* file, absl::string_view text) {
  return std::fwrite(text.data(), 1, text.size(), file) == text.size() && std::fflush(file) == 0;
}

int PrintResult(absl::string_view text, int exit_code) {
  if (Print(stdout, text)) return exit_code;
  return Complain(absl::ErrnoToStatus(errno, "write to standard output"), kFailed);
}

int Complain(const absl::Status& status, int exit_code) {
  Print(stderr, absl::StrCat("zrs: ", status.message(), "\n"));
  return exit_code;
}

}  // namespace zrs::cli
