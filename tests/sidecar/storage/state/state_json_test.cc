#include "sidecar/storage/state_json.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "proto/zrs/v1/state.pb.h"

namespace zrs::storage {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

std::string ByProtobuf(const v1::StorageState& state) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.always_print_primitive_fields = true;
  std::string json;
  EXPECT_TRUE(google::protobuf::util::MessageToJsonString(state, &json, options).ok());
  return json;
}

// Sets fields at random, those of messages too.
class Filler {
 public:
  Filler(uint64_t seed, std::vector<std::string> texts) : random_(seed), texts_(std::move(texts)) {}

  void Fill(Message* message) {
    for (int i = 0; i < message->GetDescriptor()->field_count(); ++i) {
      const FieldDescriptor& field = *message->GetDescriptor()->field(i);
      for (uint64_t n = field.is_repeated() ? random_() % 4 : random_() % 2; n > 0; --n) Set(message, field);
    }
  }

 private:
  void Set(Message* message, const FieldDescriptor& field) {
    const auto* reflection = message->GetReflection();
    const std::string text = texts_[random_() % texts_.size()];
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return Fill(field.is_repeated() ? reflection->AddMessage(message, &field)
                                        : reflection->MutableMessage(message, &field));
      case FieldDescriptor::CPPTYPE_STRING:
        if (field.is_repeated()) return reflection->AddString(message, &field, text);
        return reflection->SetString(message, &field, text);
      case FieldDescriptor::CPPTYPE_UINT64:
        return reflection->SetUInt64(message, &field, random_());
      case FieldDescriptor::CPPTYPE_UINT32:
        return reflection->SetUInt32(message, &field, static_cast<uint32_t>(random_()));
      case FieldDescriptor::CPPTYPE_BOOL:
        return reflection->SetBool(message, &field, true);
      default:
        FAIL() << "print a " << field.cpp_type_name() << " too, and test it here";
    }
  }

  std::mt19937_64 random_;
  const std::vector<std::string> texts_;
};

TEST(StateJsonTest, IsWhatProtobufPrints) {
  EXPECT_EQ(*StateToJson({}), ByProtobuf({}));
  for (uint64_t seed = 0; seed < 300; ++seed) {
    v1::StorageState state;
    Filler(seed, {"", "/data/Data.fs", "0123456789abcdef", " !#$%&'()*+,-./:;=?@[]^_`{|}~", "0 Z z"}).Fill(&state);
    ASSERT_EQ(*StateToJson(state), ByProtobuf(state));
  }
}

TEST(StateJsonTest, TextsThatAreEscapedAreLeftToProtobuf) {
  for (int c = 1; c < 0x80; ++c) {
    v1::StorageState state;
    state.set_path(std::string(1, static_cast<char>(c)));
    EXPECT_EQ(*StateToJson(state), ByProtobuf(state)) << c;
  }
  for (const char* text : {"a\"b", "a\\b", "<>", "\xc3\xa9", "\xe2\x80\xa8", "\x7f"}) {
    v1::StorageState state;
    state.add_followers()->add_marks(text);
    EXPECT_EQ(*StateToJson(state), ByProtobuf(state)) << text;
  }
}

// Whatever it is, both take it for the same, or for none.
void ExpectReadAsByProtobuf(const std::string& json) {
  v1::StorageState expected;
  const auto status = google::protobuf::util::JsonStringToMessage(json, &expected);
  v1::StorageState state;
  state.set_path("of before");
  const absl::Status read = StateFromJson(json, &state);
  ASSERT_EQ(read.ok(), status.ok()) << read << "\n" << json;
  if (!read.ok()) return;
  ASSERT_EQ(state.SerializeAsString(), expected.SerializeAsString()) << json;
}

TEST(StateJsonTest, IsReadAsProtobufReadsIt) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    v1::StorageState state;
    Filler(seed, {"", "/data/Data.fs", "0123456789abcdef", " !#$%&'()*+,-./:;=?@[]^_`{|}~", "a\"b\\<>"}).Fill(&state);
    const std::string json = *StateToJson(state);
    v1::StorageState read;
    EXPECT_EQ(StateFromJson(json, &read), absl::OkStatus());
    EXPECT_EQ(read.SerializeAsString(), state.SerializeAsString());
    ExpectReadAsByProtobuf(json);
  }
}

TEST(StateJsonTest, WhatIsNotPrintedByUsIsLeftToProtobuf) {
  v1::StorageState state;
  Filler(7, {"plain"}).Fill(&state);
  const std::string json = *StateToJson(state);
  for (size_t at = 0; at < json.size(); ++at) {
    ExpectReadAsByProtobuf(json.substr(0, at));
    ExpectReadAsByProtobuf(json.substr(0, at) + json.substr(at + 1));
    for (const char c : {' ', '0', '"', 'x'}) {
      std::string changed = json;
      changed[at] = c;
      ExpectReadAsByProtobuf(changed);
    }
  }
  for (const char* text :
       {"", "{}", "{}\n", "{\"version\": 1}", "{\n \"nobody\": 1\n}\n", "[]", "{\"version\": 4294967296}",
        "{\"version\": \"1\", \"role\": \"primary\"}", "{\"lower_bound\": {\"offset\": 4}}"}) {
    ExpectReadAsByProtobuf(text);
  }
}

}  // namespace
}  // namespace zrs::storage
