/** Calls Sluice from Kotlin with grpc-kotlin: ClientKt [HOST:PORT] */
package sluice.example

import com.google.rpc.ErrorInfo
import io.grpc.Grpc
import io.grpc.InsecureChannelCredentials
import io.grpc.Metadata
import io.grpc.StatusException
import io.grpc.protobuf.StatusProto
import java.util.concurrent.TimeUnit
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import sluice.v1.Generation.ContentPart
import sluice.v1.Generation.GenerationSpec
import sluice.v1.Generation.Message
import sluice.v1.Generation.Role
import sluice.v1.Generation.Target
import sluice.v1.RouterServiceGrpcKt.RouterServiceCoroutineStub
import sluice.v1.RouterServiceOuterClass.GenerateRequest
import sluice.v1.RouterServiceOuterClass.StreamGenerateRequest

/** Describes a generation: one question, to one model or to whichever fits. */
private fun ask(text: String, model: String? = null): GenerationSpec {
  val part = ContentPart.newBuilder().setText(text)
  val spec = GenerationSpec.newBuilder()
    .addMessages(Message.newBuilder().setRole(Role.ROLE_USER).addParts(part))
  if (model != null) spec.target = Target.newBuilder().setModel(model).build()
  return spec.build()
}

private fun askOnce(text: String, model: String? = null): GenerateRequest =
  GenerateRequest.newBuilder().setSpec(ask(text, model)).build()

private fun askForStream(text: String): StreamGenerateRequest =
  StreamGenerateRequest.newBuilder().setSpec(ask(text)).build()

/** Reads the reason that docs/errors.md lists; null when it was not Sluice that answered. */
private fun readReason(error: StatusException): String? =
  StatusProto.fromThrowable(error)?.detailsList
    ?.firstOrNull { it.`is`(ErrorInfo::class.java) }
    ?.unpack(ErrorInfo::class.java)?.reason

/** The calls, each with a deadline: without one the server's own limit of minutes holds. */
private class Client(private val router: RouterServiceCoroutineStub, private val metadata: Metadata) {
  private fun within(timeoutMs: Long) = router.withDeadlineAfter(timeoutMs, TimeUnit.MILLISECONDS)

  suspend fun generate() {
    val answer = within(60_000).generate(askOnce("Say hello"), metadata)
    println("unary: ${answer.model} answered ${answer.text.length} characters")
  }

  suspend fun stream() {
    val text = StringBuilder()
    var isFinished = false
    within(60_000).streamGenerate(askForStream("Tell me a story"), metadata).collect { event ->
      if (event.hasTextDelta()) text.append(event.textDelta.text)
      if (event.hasFinished()) isFinished = true
      // Kinds of events may be added: what is not known is skipped.
    }
    println("stream: ${text.length} characters, finished: $isFinished")
  }

  suspend fun fail() {
    try {
      within(60_000).generate(askOnce("Hi", "no-such-model"), metadata)
    } catch (error: StatusException) {
      println("error: ${error.status.code} ${readReason(error)}")
    }
  }

  suspend fun exceedDeadline() {
    try {
      within(300).generate(askOnce("Tell me a long story"), metadata)
    } catch (error: StatusException) {
      println("deadline: ${error.status.code}")
    }
  }

  suspend fun cancel() {
    // Leaving a flow early cancels the call, and Sluice stops the model.
    within(60_000).streamGenerate(askForStream("Tell me a long story"), metadata)
      .first { it.hasTextDelta() }
    println("cancel: left after the first words")
  }
}

fun main(arguments: Array<String>) {
  val address = arguments.firstOrNull() ?: System.getenv("SLUICE_SERVER") ?: "127.0.0.1:50051"
  val metadata = Metadata()
  System.getenv("SLUICE_API_KEY")?.let { key ->
    metadata.put(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer $key")
  }
  val channel = Grpc.newChannelBuilder(address, InsecureChannelCredentials.create()).build()
  val client = Client(RouterServiceCoroutineStub(channel), metadata)
  runBlocking {
    client.generate()
    client.stream()
    client.fail()
    client.exceedDeadline()
    client.cancel()
  }
  channel.shutdown().awaitTermination(5, TimeUnit.SECONDS)
}
