// Files to corpus: the vocabulary is that of the training text.
#include "text.h"

#include <filesystem>

#include "text_file.h"

namespace normlab {

void TextOptions::fields(Fields& f) {
  f.string("folder", folder, "folder of the text files, in the data directory");
  f.string("train", train, "file of the training text, plain or gzip, one sentence or paragraph a line");
  f.string("valid", valid, "file of the validation text; empty for none");
  f.string("test", test, "file of the test text; empty for none");
  f.choice("unit", unit, {"word", "character"}, "what a token is: a word between blanks, or a UTF-8 code point");
  f.boolean("lowercase", lowercase, "read A-Z as a-z");
  f.integer("largest_vocabulary", largest_vocabulary, {.at_least = 0, .at_most = 1e9},
            "most entries, <unk> and <eos> included; the rarest units become <unk>; 0 for no limit");
  f.integer("minimum_count", minimum_count, {.at_least = 1, .at_most = 1e9},
            "units seen less often in the training text become <unk>");
  f.choice("vocabulary_order", vocabulary_order, {"frequency", "alphabetical"}, "what ids are given by");
  f.choice("unknown", unknown, {"unk", "error"},
           "what a unit of valid or test outside the vocabulary is: <unk> where the vocabulary has it, or an error");
  batching.fields(f, "batching", "how the text becomes batches");
  padding.fields(f);
  f.require(!train.empty(), "train", "must name the file of the training text");
  f.require(largest_vocabulary == 0 || largest_vocabulary >= 3, "largest_vocabulary",
            text("must be 0 or leave room for <unk>, <eos> and a unit, got ", largest_vocabulary));
}

Corpus TextOptions::read(const std::string& directory) const {
  const std::string where = (std::filesystem::path(directory) / folder).string();
  const TextRules rules{unit == "word" ? TextUnit::word : TextUnit::character, lowercase};
  const VocabularyLimits limits{largest_vocabulary, minimum_count, vocabulary_order == "alphabetical"};

  const std::string train_path = locate_text(where, train);
  const std::string train_text = read_text(train_path);
  Corpus corpus{Vocabulary::build(train_text, rules, train_path, limits), {}, {}};
  corpus.origin = text(unit, "s of ", train_path);

  const auto encode = [&](Split split, const std::string& path, const std::string& contents) {
    const bool allow_unknown = split == Split::train || unknown == "unk";
    corpus.splits[static_cast<std::size_t>(split)].stream = {
        corpus.vocabulary.encode(contents, rules, path, allow_unknown), corpus.vocabulary.end_of_line()};
  };
  encode(Split::train, train_path, train_text);
  for (Split split : {Split::valid, Split::test}) {
    const std::string& name = split == Split::valid ? valid : test;
    if (name.empty()) continue;
    const std::string path = locate_text(where, name);
    encode(split, path, read_text(path));
    corpus.origin += text(", ", name);
  }
  return corpus;
}

std::unique_ptr<LanguageData> TextOptions::load_text(const std::string& directory, std::uint64_t seed) const {
  return std::make_unique<CorpusData>(read(directory), batching, seed, padding);
}

}  // namespace normlab
