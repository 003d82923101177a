// ./normlab translate: sentences through a trained translation model, plain text in and out.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "../../data/unicode.h"
#include "../../engine/parallel.h"
#include "../commands.h"
#include "../task/translation.h"
#include "../trained.h"

namespace normlab {
namespace {

struct Arguments {
  std::string run, input = "-", data = default_data_directory();
  int beam = 0, average = 0, threads = 0;
};

// Sentences that are decoded together.
constexpr std::size_t kBatch = 32;

// The source tokens of a line, or an Error that names it.
std::vector<std::int32_t> tokens_of(const TranslationData& data, const std::string& line, std::size_t number) {
  std::vector<std::int32_t> tokens;
  try {
    require_utf8("translate", line);
    tokens = data.source_tokens(line);
  } catch (const Error& error) {
    throw Error(text("input, line ", number, ": ", error.what()));
  }
  const auto longest = static_cast<std::size_t>(data.longest_source());
  check(tokens.size() <= longest, "input, line ", number, ": a sentence must have at most ", longest,
        " tokens, the longest that the model's data had, <eos> included; it has ", tokens.size(), "; split it");
  return tokens;
}

void translate_lines(const Translation& task, const DecodingOptions& decoding, std::istream& in) {
  const TranslationData& data = task.data();
  std::size_t number = 0;
  for (bool more = true; more;) {
    std::vector<std::int32_t> ids;
    std::vector<Index> lengths;
    for (std::string line; lengths.size() < kBatch && (more = static_cast<bool>(std::getline(in, line)));) {
      const auto tokens = tokens_of(data, line, ++number);
      ids.insert(ids.end(), tokens.begin(), tokens.end());
      lengths.push_back(static_cast<Index>(tokens.size()));
    }
    if (lengths.empty()) break;
    const Tensor source = Tensor::from<std::int32_t>({static_cast<Index>(ids.size())}, ids);
    for (const auto& best_first :
         decode(task.model(), source, Rows::of_lengths(lengths), data.begin_symbol(), data.end_symbol(), decoding)) {
      std::cout << data.target_text(best_first.front().tokens, TextForm::plain) << '\n';
    }
    std::cout.flush();
    if (!std::cout) throw MachineError("translate: the output cannot be written; is the disk full?");
  }
}

int translate(const Arguments& a) {
  if (a.threads > 0) set_threads(a.threads);
  const Trained trained = load_trained(a.run, a.data, a.average);
  const auto* task = dynamic_cast<const Translation*>(trained.task.get());
  check(task != nullptr, a.run, ": holds a model of the kind ", trained.config.model.kind(),
        ", which does not translate; give the run of a translation model");
  DecodingOptions decoding = dynamic_cast<const TranslationModelOptions&>(*trained.config.model).decoding;
  if (a.beam > 0) decoding.beam = a.beam;
  if (a.input == "-") {
    translate_lines(*task, decoding, std::cin);
    return kDone;
  }
  std::ifstream file(a.input);
  check(file.is_open() && !std::filesystem::is_directory(a.input), a.input,
        ": cannot be read; give a file of sentences, one a line, or nothing for standard input");
  translate_lines(*task, decoding, file);
  return kDone;
}

}  // namespace

void add_translate(CLI::App& program, int& status) {
  auto* command = program.add_subcommand("translate", "Translate sentences, one a line, with a trained model");
  auto a = std::make_shared<Arguments>();
  command->add_option("run", a->run, "The folder of a run of a translation model")->required();
  command->add_option("input", a->input, "A file of sentences; standard input by default");
  command->add_option("--beam", a->beam, "Hypotheses kept for each sentence; the run's own by default")
      ->check(CLI::Range(1, 1000));
  command
      ->add_option("--average", a->average,
                   "Last checkpoints whose mean translates; the run's own train.average by default")
      ->check(CLI::Range(1, 1000000));
  command->add_option("--data", a->data, "Where corpora lie (also NORMLAB_DATA)")->capture_default_str();
  command->add_option("--threads", a->threads, "Threads; by default all cores")->check(CLI::Range(1, 1024));
  command->callback([a, &status] { status = translate(*a); });
}

}  // namespace normlab
