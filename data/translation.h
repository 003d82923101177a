// Translation data: pairs of sentences in two languages, of which the second is to be made from the first.
#pragma once

#include <vector>

#include "data.h"

namespace normlab {

// Packed sentences; sequence i of the sources belongs to sequence i of the targets. Row r of the targets predicts
// targets[r] from inputs up to r of its own sequence, which begins with <bos>; targets end in <eos>, sources too.
// There is no padding, since an encoder, which sees all rows of its sequence, would see pads. So all rows count, and
// every target is predicted.
struct TranslationBatch {
  Tensor sources;  // i32 [source rows]
  Rows source_rows;
  Tensor inputs;   // i32 [target rows]
  Tensor targets;  // i32 [target rows]
  Rows target_rows;
};

// How a sentence is spelled. Tokenised BLEU is of words, that of sacreBLEU of plain text.
enum class TextForm {
  plain,  // as people write it
  words,  // words and punctuation marks with blanks between, as the tokenizer leaves them
};

class TranslationData : public Data {
 public:
  virtual Index source_vocabulary_size() const = 0;
  virtual Index target_vocabulary_size() const = 0;
  virtual bool shared_vocabulary() const = 0;  // one vocabulary for both languages
  virtual Index longest_source() const = 0;    // in tokens, <eos> included: what a learned position table must hold
  virtual Index longest_target() const = 0;
  virtual std::int32_t begin_symbol() const = 0;  // <bos> and <eos> of the target vocabulary
  virtual std::int32_t end_symbol() const = 0;
  // Batch `index` counted from the start of training; epoch = index / batches_per_epoch(), each in an order of its own.
  virtual TranslationBatch training_batch(std::uint64_t index) const = 0;
  virtual TranslationBatch evaluation_batch(Split split, Index index) const = 0;

  // The target sentences of evaluation_batch(split, index), in the batch's order: the references that translations are
  // scored against. They are the sentences as read, not what the vocabulary can say of them.
  virtual std::vector<std::string> references(Split split, Index index, TextForm form) const = 0;
  // Target tokens as such a sentence: subwords joined; in plain text, punctuation where it belongs. <eos> and what
  // follows is left out.
  virtual std::string target_text(const std::vector<std::int32_t>& tokens, TextForm form) const = 0;
  // Are target sentences in lower case, whatever case they were read in?
  virtual bool lowercase() const = 0;
  // The source tokens of a plain sentence, <eos> included. Error when it is not UTF-8.
  virtual std::vector<std::int32_t> source_tokens(const std::string& sentence) const = 0;
};

// A kind of data that is pairs of sentences.
struct TranslationDataOptions : DataOptions {
  Content content() const final { return Content::sentence_pairs; }
  std::unique_ptr<Data> load(const std::string& directory, std::uint64_t seed) const final {
    return load_pairs(directory, seed);
  }
  virtual std::unique_ptr<TranslationData> load_pairs(const std::string& directory, std::uint64_t seed) const = 0;
};

}  // namespace normlab
