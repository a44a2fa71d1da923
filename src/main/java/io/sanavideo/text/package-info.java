/** Prompts to token ids: the tokenizer, and the instruction that stands before a prompt. */
package io.sanavideo.text;
