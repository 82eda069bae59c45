// The parser behind ParseZConfig and ParseZConfigTolerantly: one object per configuration, which all of its files go
// through.
#ifndef ZRS_SIDECAR_CONFIG_ZCONFIG_PARSER_H_
#define ZRS_SIDECAR_CONFIG_ZCONFIG_PARSER_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sidecar/config/location.h"
#include "sidecar/config/substitution.h"
#include "sidecar/config/zconfig.h"

namespace zrs::config {

class ZConfigParser {
 public:
  // Both are kept by reference. `tolerant`: errors of substitution stay with their keys and definitions.
  ZConfigParser(const ReadFile& read_file, const GetEnvironment& environment, bool tolerant)
      : read_file_(read_file), environment_(environment), tolerant_(tolerant) {}

  // Called once.
  absl::StatusOr<Section> Parse(const std::string& path);

 private:
  // Parses a file into the section that is open. `included_at` is null for the first file.
  absl::Status ParseFile(const std::string& path, const Location* included_at);
  absl::StatusOr<std::string> Read(const std::string& path, const Location* included_at);
  absl::Status CheckText(const std::shared_ptr<const std::string>& file, absl::string_view text);
  // Sections may be closed down to `floor`, the number that were open where this file began.
  absl::Status ParseLine(absl::string_view line, const Location& at, size_t floor);
  absl::Status OpenSection(absl::string_view line, const Location& at);
  absl::Status CloseSection(absl::string_view line, const Location& at, size_t floor);
  absl::Status AddKey(absl::string_view line, const Location& at);

  absl::Status Directive(absl::string_view text, const Location& at);
  absl::Status Define(absl::string_view argument, const Location& at);
  absl::Status Include(absl::string_view argument, const Location& at);

  absl::StatusOr<std::string> Replace(absl::string_view text, const Location& at);

  const ReadFile& read_file_;
  const GetEnvironment& environment_;
  const bool tolerant_;
  Definitions definitions_;
  std::vector<Section> open_;       // from the root to the innermost
  std::vector<std::string> files_;  // from the first to the one being read
  size_t files_read_ = 0;
  size_t bytes_read_ = 0;
  size_t values_bytes_ = 0;
};

}  // namespace zrs::config

#endif  // ZRS_SIDECAR_CONFIG_ZCONFIG_PARSER_H_
