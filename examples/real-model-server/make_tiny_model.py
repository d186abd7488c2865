"""Writes a tiny llama with random weights as a GGUF file: `python make_tiny_model.py tiny.gguf`.

It answers nonsense, but a real server loads it, samples from it, streams it and counts its tokens.
The vocabulary is SentencePiece's smallest: three special tokens, the 256 bytes, and some letters.
"""

import sys

import numpy as np
from gguf import GGUFWriter, TokenType

CONTEXT_TOKENS = 2048
WIDTH = 64
FEED_FORWARD_WIDTH = 128
BLOCK_COUNT = 2
HEAD_COUNT = 4
LETTERS = "▁etaoinshrdlucmfwygpbvkxqjz.,"

# The chat as plain lines; without a template the server would use that of another model.
CHAT_TEMPLATE = "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}assistant:"


def make_vocabulary():
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)] + list(LETTERS)
    special = [TokenType.UNKNOWN, TokenType.CONTROL, TokenType.CONTROL]
    types = special + [TokenType.BYTE] * 256 + [TokenType.NORMAL] * len(LETTERS)
    scores = [0.0] * 259 + [-float(rank) for rank in range(len(LETTERS))]
    return tokens, types, scores


def write_model(path):
    random = np.random.default_rng(7)
    tokens, types, scores = make_vocabulary()
    writer = GGUFWriter(path, "llama")
    writer.add_name("tiny-random-llama")
    writer.add_context_length(CONTEXT_TOKENS)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(FEED_FORWARD_WIDTH)
    writer.add_block_count(BLOCK_COUNT)
    writer.add_head_count(HEAD_COUNT)
    writer.add_head_count_kv(HEAD_COUNT)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(WIDTH // HEAD_COUNT)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_scores(scores)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_chat_template(CHAT_TEMPLATE)

    def add(name, *shape):
        writer.add_tensor(name, random.normal(0, 0.3, shape).astype(np.float32))

    def add_ones(name):
        writer.add_tensor(name, np.ones(WIDTH, dtype=np.float32))

    add("token_embd.weight", len(tokens), WIDTH)
    for block in range(BLOCK_COUNT):
        for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
            add(f"blk.{block}.{part}.weight", WIDTH, WIDTH)
        add(f"blk.{block}.ffn_gate.weight", FEED_FORWARD_WIDTH, WIDTH)
        add(f"blk.{block}.ffn_up.weight", FEED_FORWARD_WIDTH, WIDTH)
        add(f"blk.{block}.ffn_down.weight", WIDTH, FEED_FORWARD_WIDTH)
        add_ones(f"blk.{block}.attn_norm.weight")
        add_ones(f"blk.{block}.ffn_norm.weight")
    add_ones("output_norm.weight")
    # Letters are likelier than bytes, so that the nonsense can be read; special tokens never come but by chance.
    output = random.normal(0, 0.3, (len(tokens), WIDTH)).astype(np.float32)
    output[:259] *= 0.05
    writer.add_tensor("output.weight", output)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python make_tiny_model.py FILE")
    write_model(sys.argv[1])
    print(f"wrote {sys.argv[1]}")
