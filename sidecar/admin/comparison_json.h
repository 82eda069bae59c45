// Comparisons of a copy with its upstream's file as JSON: field names and meanings are a contract with monitoring.
#ifndef ZRS_SIDECAR_ADMIN_COMPARISON_JSON_H_
#define ZRS_SIDECAR_ADMIN_COMPARISON_JSON_H_

#include <nlohmann/json.hpp>
#include <string>

#include "proto/zrs/v1/admin.pb.h"

namespace zrs::admin {

using Json = nlohmann::ordered_json;

// null where it is not known.
template <typename Value>
Json OrNull(bool known, const Value& value) {
  return known ? Json(value) : Json(nullptr);
}

Json ProgressToJson(const v1::Progress& progress);

// As README.md beside this file has them.
Json ComparisonToJson(const v1::Comparison& comparison);
Json TransactionToJson(const v1::ComparedTransaction& transaction);

// Of the commands, indented, with a line feed at the end.
std::string CompareToJson(const v1::CompareResponse& response);
std::string ResyncToJson(const v1::ResyncResponse& response);

}  // namespace zrs::admin

#endif  // ZRS_SIDECAR_ADMIN_COMPARISON_JSON_H_
