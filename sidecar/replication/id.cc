#include "sidecar/replication/id.h"

#include "absl/strings/escaping.h"

namespace zrs::replication {

std::string DescribeId(absl::string_view id) { return id.empty() ? "none" : absl::BytesToHexString(id); }

}  // namespace zrs::replication
