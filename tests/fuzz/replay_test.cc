// Every kept input of a target, and each of them cut short, without a fuzzer.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "spdlog/spdlog.h"
#include "tests/fuzz/one_input.h"

namespace zrs::fuzz {
namespace {

void Give(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
}

TEST(Corpus, IsTaken) {
  spdlog::set_level(spdlog::level::off);
  size_t inputs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(ZRS_FUZZ_CORPUS)) {
    SCOPED_TRACE(entry.path());
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string input{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    Give(input);
    for (size_t quarter = 0; quarter < 4; ++quarter) Give(input.substr(0, input.size() * quarter / 4));
    ++inputs;
  }
  EXPECT_GT(inputs, 0u) << "no input in " << ZRS_FUZZ_CORPUS;
}

}  // namespace
}  // namespace zrs::fuzz
