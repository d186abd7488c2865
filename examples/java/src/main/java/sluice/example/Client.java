package sluice.example;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import io.grpc.CallCredentials;
import io.grpc.Context;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.Iterator;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import sluice.v1.Generation.ContentPart;
import sluice.v1.Generation.GenerationSpec;
import sluice.v1.Generation.Message;
import sluice.v1.Generation.Role;
import sluice.v1.Generation.Target;
import sluice.v1.RouterServiceGrpc;
import sluice.v1.RouterServiceGrpc.RouterServiceBlockingStub;
import sluice.v1.RouterServiceOuterClass.GenerateRequest;
import sluice.v1.RouterServiceOuterClass.GenerateResponse;
import sluice.v1.RouterServiceOuterClass.StreamGenerateRequest;
import sluice.v1.RouterServiceOuterClass.StreamGenerateResponse;

/** Calls Sluice from Java with grpc-java: Client [HOST:PORT] */
public final class Client {
  /** Sends an API key with each call, where the server wants one. */
  private static final class ApiKey extends CallCredentials {
    private static final Metadata.Key<String> AUTHORIZATION =
        Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

    private final String key;

    ApiKey(String key) {
      this.key = key;
    }

    @Override
    public void applyRequestMetadata(RequestInfo info, Executor executor, MetadataApplier applier) {
      Metadata metadata = new Metadata();
      metadata.put(AUTHORIZATION, "Bearer " + key);
      applier.apply(metadata);
    }
  }

  private final RouterServiceBlockingStub router;

  private Client(RouterServiceBlockingStub router) {
    this.router = router;
  }

  /** Always set a deadline: without one the server's own limit of minutes holds. */
  private RouterServiceBlockingStub within(long timeoutMs) {
    return router.withDeadlineAfter(timeoutMs, TimeUnit.MILLISECONDS);
  }

  /** Describes a generation: one question, to one model or, with an empty name, to whichever fits. */
  private static GenerationSpec ask(String text, String model) {
    GenerationSpec.Builder spec =
        GenerationSpec.newBuilder()
            .addMessages(
                Message.newBuilder()
                    .setRole(Role.ROLE_USER)
                    .addParts(ContentPart.newBuilder().setText(text)));
    if (!model.isEmpty()) {
      spec.setTarget(Target.newBuilder().setModel(model));
    }
    return spec.build();
  }

  private static StreamGenerateRequest askForStream(String text) {
    return StreamGenerateRequest.newBuilder().setSpec(ask(text, "")).build();
  }

  private void generate() {
    GenerateRequest request = GenerateRequest.newBuilder().setSpec(ask("Say hello", "")).build();
    GenerateResponse answer = within(60_000).generate(request);
    System.out.printf(
        "unary: %s answered %d characters%n", answer.getModel(), answer.getText().length());
  }

  private void stream() {
    StringBuilder text = new StringBuilder();
    boolean isFinished = false;
    Iterator<StreamGenerateResponse> events =
        within(60_000).streamGenerate(askForStream("Tell me a story"));
    while (events.hasNext()) {
      StreamGenerateResponse event = events.next();
      if (event.hasTextDelta()) {
        text.append(event.getTextDelta().getText());
      }
      if (event.hasFinished()) {
        isFinished = true;
      }
      // Kinds of events may be added: what is not known is skipped.
    }
    System.out.printf("stream: %d characters, finished: %b%n", text.length(), isFinished);
  }

  private void fail() {
    try {
      within(60_000)
          .generate(GenerateRequest.newBuilder().setSpec(ask("Hi", "no-such-model")).build());
    } catch (StatusRuntimeException error) {
      System.out.printf("error: %s %s%n", error.getStatus().getCode(), readReason(error));
    }
  }

  /** Reads the reason that docs/errors.md lists; empty when it was not Sluice that answered. */
  private static String readReason(StatusRuntimeException error) {
    com.google.rpc.Status status = StatusProto.fromThrowable(error);
    if (status == null) {
      return "";
    }
    for (Any detail : status.getDetailsList()) {
      if (!detail.is(ErrorInfo.class)) {
        continue;
      }
      try {
        return detail.unpack(ErrorInfo.class).getReason();
      } catch (InvalidProtocolBufferException broken) {
        return "";
      }
    }
    return "";
  }

  private void exceedDeadline() {
    try {
      within(300)
          .generate(
              GenerateRequest.newBuilder().setSpec(ask("Tell me a long story", "")).build());
    } catch (StatusRuntimeException error) {
      System.out.printf("deadline: %s%n", error.getStatus().getCode());
    }
  }

  private void cancel() {
    // Leaving the loop would not be enough: only the context tells Sluice, which then stops the model.
    Context.CancellableContext context = Context.current().withCancellation();
    try {
      context.run(
          () -> {
            Iterator<StreamGenerateResponse> events =
                within(60_000).streamGenerate(askForStream("Tell me a long story"));
            while (events.hasNext()) {
              if (events.next().hasTextDelta()) {
                context.cancel(null);
              }
            }
          });
    } catch (StatusRuntimeException error) {
      System.out.printf("cancel: %s%n", error.getStatus().getCode());
    } finally {
      context.cancel(null);
    }
  }

  public static void main(String[] args) throws InterruptedException {
    String fromEnvironment = System.getenv().getOrDefault("SLUICE_SERVER", "127.0.0.1:50051");
    String address = args.length > 0 ? args[0] : fromEnvironment;
    String key = System.getenv().getOrDefault("SLUICE_API_KEY", "");
    ManagedChannel channel =
        Grpc.newChannelBuilder(address, InsecureChannelCredentials.create()).build();
    try {
      RouterServiceBlockingStub router = RouterServiceGrpc.newBlockingStub(channel);
      Client client =
          new Client(key.isEmpty() ? router : router.withCallCredentials(new ApiKey(key)));
      client.generate();
      client.stream();
      client.fail();
      client.exceedDeadline();
      client.cancel();
    } finally {
      channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    }
  }
}
